"""The hub's identity on its disk: key and certificate, one folder a generation.

    identity/1/ 2/ ...  hub.key  hub.crt  ca.crt  identity.json   (whole when the last is there)
    identity/current -> 2     the generation in use
    identity/next    -> 3     a renewed one that no session has proven yet

The provisioning process writes generations and points `next` at them (`provisioning.enrol`); the
hub makes `next` the `current` one when a session stands. Names change by one rename each, so after
a power cut an identity is the old one or the new one.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from hub.contract.forms import Form, of
from hub.shared.files import to_disk, write_whole

FOLDER, CURRENT, NEXT = "identity", "current", "next"
NAME = "hub-name"  # beside the folder: the hub's id, for when no generation can be read any more
NAME_BYTES = 64
KEY, CERTIFICATE, AUTHORITY, FACTS = "hub.key", "hub.crt", "ca.crt", "identity.json"
SERIAL = Path("/proc/device-tree/serial-number")  # of a Pi; it ends in a NUL
PRODUCT = Path("/sys/class/dmi/id/product_uuid")  # of a PC, where the user may read it
MACHINE = Path("/etc/machine-id")
HubName = Annotated[str, of(Form.NAME, r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Facts(Struct, frozen=True):
    """`identity.json`: the hub's id, and for which board and by which centre it was made."""

    hub: HubName
    board: str = ""  # empty: bound to none
    center: str = ""


class Identity(Struct, frozen=True):
    """A whole generation."""

    folder: Path
    facts: Facts

    @property
    def hub(self) -> str:
        """The hub's id: the CN of its certificate."""
        return self.facts.hub

    @property
    def number(self) -> int:
        """The generation's number."""
        return int(self.folder.name)

    def file(self, name: str) -> str:
        """Return where a file of it is."""
        return str(self.folder / name)

    def fits(self, board: str) -> bool:
        """Whether it was made for this board."""
        return self.facts.board in {"", board}


def read(root: Path, name: str = CURRENT) -> Identity | None:
    """Return the generation that `name` means; None where it is missing, or not whole."""
    link = root / name
    try:
        folder = root / link.readlink() if link.is_symlink() else link
        found = msgspec.json.decode((folder / FACTS).read_bytes(), type=Facts)
        whole = all((folder / file).stat().st_size for file in (KEY, CERTIFICATE, AUTHORITY))
    except (OSError, msgspec.DecodeError, ValueError):
        return None
    return Identity(folder, found) if whole and folder.name.isdecimal() else None


def in_use(root: Path) -> Identity | None:
    """Return the identity to begin with: the current one, or the newest that is whole.

    The latter only where the current one was damaged, by a card that is wearing out, say.
    """
    return read(root) or next(filter(None, (read(root, str(n)) for n in generations(root))), None)


def known_name(root: Path) -> str:
    """Return the hub's id, also where key or certificate are lost: a call must find its home.

    Empty: this machine has never had one, or nothing of it can be read.
    """
    found = in_use(root)
    if found is not None:
        return found.hub
    told = (_told_name(root / str(n) / FACTS) for n in generations(root))
    return next(filter(None, told), "") or _kept_name(root.parent / NAME)


def remember(root: Path, hub: str) -> None:
    """Keep the hub's id beside its identity, for `known_name`. Raises `OSError`."""
    file = root.parent / NAME
    if _kept_name(file) != hub:
        write_whole(file, hub.encode(), 0o600)
        to_disk(file.parent)


def generations(root: Path) -> Iterator[int]:
    """Yield the numbers of the generations, the newest first; unfinished ones are among them."""
    try:
        names = [one.name for one in root.iterdir() if one.name.isdecimal()]
    except OSError:
        names = []
    yield from sorted(map(int, names), reverse=True)


def prove(root: Path, proven: Identity) -> bool:
    """Make `next` the current identity if it is still the one that was proven.

    Raises `OSError`; then the old one is still the current one.
    """
    link = root / NEXT
    if not link.is_symlink() or str(link.readlink()) != proven.folder.name:
        return False
    link.replace(root / CURRENT)
    to_disk(root)
    return True


def this_board(serial: Path = SERIAL, product: Path = PRODUCT, machine: Path = MACHINE) -> str:
    """Return what tells this board from others, a hash; empty where nothing does."""
    parts = [_content(serial) or _content(product), _content(machine)]
    return sha256("\n".join(parts).encode()).hexdigest() if any(parts) else ""


def _told_name(file: Path) -> str:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Facts).hub
    except (OSError, msgspec.DecodeError, ValueError):
        return ""


def _kept_name(file: Path) -> str:
    try:
        with file.open("rb") as kept:
            return msgspec.convert(kept.read(NAME_BYTES).decode("ascii"), HubName)
    except (OSError, msgspec.ValidationError, ValueError):
        return ""


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
