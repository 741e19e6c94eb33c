"""What a hub leaves at the centre for the one that replaces it, and what that one makes of it.

Learned habits, the list of wireless devices without their keys, and how the resident wants the
voice. No conversation, no key, no call: calls are at the centre already.

A device without a key or a bond goes on at once; the others are listed in `devices.anew.toml`.
"""

import math
import zlib
from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.shared import anew
from hub.shared.anew import GOOD, LIST, LIST_BYTES, UnreadError
from hub.shared.files import to_disk, write_whole

FORMAT = 1
HABITS, VOICE = "habits.bin", "voice.json"
RESTORED = "habits.restored.bin"  # the hub takes it at its next start where it is more
INSTEAD = "habits.instead.bin"  # the hub takes it whatever it has; empty: it begins anew
HABITS_BYTES, VOICE_BYTES = 65_536, 4096
BODY_BYTES = 200_000  # what is sent; `hub.outbox.habits_file` reads habits of 64 KB
OPENED_BYTES = 400_000  # what it may become when it is unpacked
LARGE = 2**63  # JSON's numbers end there for `msgspec`
KEYED = "keyed"  # of a device whose key is left out
Device = dict[str, str | int | float | bool]
Came = dict[str, str]  # files that came from the centre, with their hashes


class UnfitError(ValueError):
    """What the centre had kept, or would keep, cannot be read by this program."""


class Kept(Struct, frozen=True):
    """All of it; what a hub does not have is empty. A newer program may add fields."""

    format: int = FORMAT
    habits: Annotated[bytes, Meta(max_length=HABITS_BYTES)] = b""
    devices: list[Device] = []
    voice: Annotated[bytes, Meta(max_length=VOICE_BYTES)] = b""


class _Days(Struct):
    days: Annotated[int, Meta(ge=0)] = 0


class Found(Struct, frozen=True):
    """What this hub goes by, and the parts that cannot be read, each with its file."""

    kept: Kept
    unread: dict[str, str] = {}

    def filled(self, last: Kept) -> Kept:
        """Return all of it, the unread parts as they were stored last: that is better than none."""
        return replace(self.kept, **{part: getattr(last, part) for part in self.unread})


def collect(
    state_dir: Path, voice_dir: Path, came: Came | None = None, had: Collection[str] = ()
) -> Found:
    """Read what this hub goes by.

    `had` are the parts that were stored before: one that is gone since is a mistake.
    """
    parts, unread = dict[str, Any](), dict[str, str]()
    readers: dict[str, Callable[[], object]] = {
        "habits": lambda: _habits(state_dir, needed="habits" in had),
        "devices": lambda: _devices(state_dir, came or {}, needed="devices" in had),
        "voice": lambda: _voice(voice_dir),
    }
    for part, read in readers.items():
        try:
            parts[part] = read()
        except UnreadError as error:
            unread[part] = str(error)
    return Found(Kept(FORMAT, **parts), unread)


def list_file(state_dir: Path, came: Came) -> Path:
    """Return the list that hub and radio go by, or will as soon as they look at what came."""
    return state_dir / LIST if is_same(state_dir / LIST, came) else anew.in_effect(state_dir)


def days_of(habits: bytes) -> int | None:
    """Return how many days were learned; None: these are no habits."""
    try:
        return msgspec.msgpack.decode(habits, type=_Days).days
    except msgspec.DecodeError:
        return None


def pack(kept: Kept) -> bytes:
    """Return what is sent. Raises UnfitError where a replacement could not read it."""
    body = zlib.compress(msgspec.json.encode(kept))
    if len(body) > BODY_BYTES or unpack(body) != kept:
        raise UnfitError(str(len(body)))
    return body


def unpack(body: bytes) -> Kept:
    """Return what was sent. Raises UnfitError."""
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(body, OPENED_BYTES)
        kept = msgspec.json.decode(plain, type=Kept)
    except (zlib.error, msgspec.DecodeError) as error:
        raise UnfitError(str(error)) from error
    if opened.unconsumed_tail or not opened.eof or kept.format > FORMAT:
        raise UnfitError(str(kept.format))
    return kept


def files_of(kept: Kept, state_dir: Path, voice_dir: Path, came: Came) -> dict[Path, bytes]:
    """Return the files with which this hub goes on; what is here already stays.

    `came` is what had come before. The hub takes the habits at its next start.
    """
    files = dict[Path, bytes]()
    if days_of(kept.habits) is not None:
        instead = state_dir / INSTEAD
        files[instead if instead.exists() else state_dir / RESTORED] = kept.habits
    heard = [] if _has_list(state_dir, came) else [one for one in kept.devices if _is_heard(one)]
    waiting = [one for one in kept.devices if one not in heard]
    known = {str(one.get("address")) for one in kept.devices}
    waiting += [one for one in _of_before(state_dir) if str(one.get("address")) not in known]
    if heard:
        files[state_dir / LIST] = anew.written(_shown(heard)).encode()
    if waiting:
        files[state_dir / anew.FILE] = anew.written(_shown(waiting), anew.HEAD).encode()
    voice = voice_dir / VOICE
    if kept.voice and voice_dir.is_dir() and (not voice.exists() or is_same(voice, came)):
        files[voice] = kept.voice
    return files


def hashes(files: dict[Path, bytes]) -> Came:
    """Return what `forget` has to know, before the files are written."""
    return {str(path): _hash(content) for path, content in files.items()}


def put(files: dict[Path, bytes], state_dir: Path) -> None:
    """Write the files. Raises `OSError`."""
    for path, content in files.items():
        write_whole(path, content, 0o600)
    to_disk(state_dir)


def forget(came: Came, state_dir: Path) -> None:
    """Drop what is of another home: this hub has another name now. Raises `OSError`.

    Of what came for the home of before, a file that was changed since stays: it tells of this one.
    What was learned goes, whoever learned it.
    """
    for path in map(Path, came):
        if not is_same(path, came):
            continue
        if path.name == LIST:
            write_whole(path, b"", 0o600)  # a list that is gone would be a mistake
        else:
            path.unlink()
    good = state_dir / GOOD
    if came and _hash_of(good) == came.get(str(state_dir / LIST)):
        write_whole(good, b"", 0o600)  # a hub that does not run would go by it
    for name in (anew.FILE, RESTORED):
        (state_dir / name).unlink(missing_ok=True)
    write_whole(state_dir / INSTEAD, b"", 0o600)
    to_disk(state_dir)


def is_same(path: Path, came: Came) -> bool:
    """Whether a file is as it came from the centre."""
    return str(path) in came and _hash_of(path) == came[str(path)]


def hash_of_list(state_dir: Path, came: Came) -> str:
    """Return a hash of the list that hub and radio go by; empty: there is none to be read."""
    return _hash_of(list_file(state_dir, came)) or ""


def _hash_of(path: Path) -> str | None:
    try:
        content = _read(path, LIST_BYTES)
    except UnreadError:
        return None
    return None if content is None else _hash(content)


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _shown(devices: list[Device]) -> list[Device]:
    return [{name: value for name, value in one.items() if name != KEYED} for one in devices]


def _keyless(device: Device) -> Device:
    plain = {name: value for name, value in device.items() if name != anew.KEY and _is_plain(value)}
    return plain | {KEYED: True} if anew.KEY in device else plain


def _is_plain(value: object) -> bool:
    """Whether JSON can say it; what a hub has taken has nothing else, but for an infinite time."""
    match value:
        case bool() | str():
            return True
        case int():
            return abs(value) < LARGE
        case _:
            return isinstance(value, float) and math.isfinite(value)


def _is_heard(device: Device) -> bool:
    return anew.is_heard(device) and not device.get(KEYED)


def _has_list(state_dir: Path, came: Came) -> bool:
    """Whether this hub has devices of its own, or a list that somebody is writing."""
    if is_same(state_dir / LIST, came):
        return False
    try:
        return bool(anew.listed(state_dir) or anew.read(state_dir / LIST))
    except UnreadError:
        return True


def _waiting(state_dir: Path) -> list[Device]:
    """Return what is still to be paired, so that a second replacement does not lose it."""
    left = {one.address for one in anew.awaited(state_dir)}
    found = anew.read(state_dir / anew.FILE) or []
    return [one | {KEYED: True} for one in found if str(one.get("address")) in left]


def _of_before(state_dir: Path) -> list[Device]:
    try:
        return _waiting(state_dir)
    except UnreadError:
        return []


def _devices(state_dir: Path, came: Came, *, needed: bool) -> list[Device]:
    """Return the devices that hub and radio go by, and those to be paired. Raises UnreadError."""
    listed = anew.read(list_file(state_dir, came))
    if listed is None and needed:
        raise UnreadError(LIST)
    return [_keyless(one) for one in (*(listed or []), *_waiting(state_dir))]


def _habits(state_dir: Path, *, needed: bool) -> bytes:
    """Return the habits that the hub goes by, or will at its next start. Raises UnreadError."""
    instead = _read(state_dir / INSTEAD, HABITS_BYTES)
    came = _read(state_dir / RESTORED, HABITS_BYTES) or b""
    own = _read(state_dir / HABITS, HABITS_BYTES)  # the last: the hub puts the others here
    if instead is not None:
        return instead
    if (days_of(came) or 0) > (days_of(own or b"") or 0):
        return came
    if days_of(own or b"") is None and (needed or own is not None):
        raise UnreadError(HABITS)
    return own or b""


def _voice(voice_dir: Path) -> bytes:
    """Return the resident's wishes; without the file the voice goes by none. Raises UnreadError."""
    found = _read(voice_dir / VOICE, VOICE_BYTES)
    if not found:
        return b""
    try:
        msgspec.json.decode(found, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise UnreadError(VOICE) from error
    return found


def _read(path: Path, most: int) -> bytes | None:
    """Return what a file holds; None: there is none. Raises UnreadError."""
    try:
        with path.open("rb") as file:
            found = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadError(path.name) from error
    if len(found) > most:
        raise UnreadError(path.name)
    return found
