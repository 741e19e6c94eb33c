"""What the process shows on this machine to whoever asks `anbu provision`: a file in /run."""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.provision import Claiming, Clock, Fact, Network, Trouble, Way
from hub.shared.anew import FILE as WAITING
from hub.shared.anew import awaited, is_damaged
from hub.shared.files import write_whole
from hub.shared.identity import CERTIFICATE, NEXT, in_use, known_name, read, this_board
from provisioning.backup.mark import mark_of
from provisioning.enrol import keys
from provisioning.enrol.troubles import EnrolTrouble
from provisioning.settings import ProvisionSettings

FILE = "status.json"


class Shown(Struct, frozen=True):
    """The newest facts of a running process."""

    pid: int = 0
    digits: str = ""
    trouble: str = ""
    way: Way | None = None
    network: str = ""
    network_trouble: str = ""
    clock_ahead_s: float | None = None
    parts: dict[str, str] = {}  # that are out of order, with the detail


class Board:
    """Writes the newest facts down. A folder that cannot be written shows nothing."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._shown = Shown(os.getpid())

    def show(self, fact: Fact) -> None:
        """Take a fact."""
        shown = _with(self._shown, fact)
        if shown == self._shown:
            return
        self._shown = shown
        try:
            write_whole(self._file, msgspec.json.encode(shown), 0o640)
        except OSError:
            return


class State(Struct, frozen=True):
    """All that a terminal shows: what the disk holds, and what the running process says."""

    hub: str = ""  # empty: not registered
    was: str = ""  # the id of before, where the identity is lost
    fits: bool = True  # whether the identity is of this board
    ends: str = ""  # of the certificate, a date
    expired: bool = False
    renewed: bool = False  # a renewed certificate waits for the hub's next dial
    runs: bool = False
    shown: Shown = Shown()
    stored: str = ""  # when the centre last kept what a replacement needs, a date; empty: never
    backup_trouble: str = ""  # why the last try failed, a word of `provisioning.enrol`
    kept_nowhere: bool = False  # this authority keeps nothing
    restored: bool = False  # this hub got what the one of before had learned
    anew: list[str] = []  # devices of the hub of before that are to be paired anew


def state_of(settings: ProvisionSettings) -> State:
    """Read the state of this machine. Who may not read the identity sees none."""
    held, shown = in_use(settings.identities), _shown(Path(settings.run_dir) / FILE)
    runs = shown is not None and Path(f"/proc/{shown.pid}").exists()
    state = State(runs=runs, shown=shown if shown and runs else Shown())
    if held is None:
        return replace(state, was=known_name(settings.identities))
    ours = held.folder.stat().st_uid == os.getuid()  # root may read more of a board
    fits = held.fits(this_board()) if ours else True
    state = replace(
        state, hub=held.hub, fits=fits, renewed=read(settings.identities, NEXT) is not None
    )
    try:
        ends = keys.load(Path(held.file(CERTIFICATE)).read_bytes()).ends
    except (OSError, ValueError):
        return replace(state, shown=replace(state.shown, trouble=EnrolTrouble.OTHER_KEY))
    state = _with_backup(state, Path(settings.state_dir))
    return replace(state, ends=f"{ends:%Y-%m-%d}", expired=ends <= datetime.now(UTC))


def _with_backup(state: State, folder: Path) -> State:
    mark = mark_of(folder)
    if mark.hub != state.hub:
        return state
    stored = mark.stored_utc
    return replace(
        state,
        stored="" if stored is None else f"{datetime.fromtimestamp(stored, UTC):%Y-%m-%d}",
        backup_trouble=mark.trouble,
        kept_nowhere=not mark.offered,
        restored=bool(mark.came),
        anew=[WAITING] if is_damaged(folder) else [one.name for one in awaited(folder)],
    )


def _with(shown: Shown, fact: Fact) -> Shown:
    match fact:
        case Claiming(digits=digits, trouble=trouble):
            return replace(shown, digits=digits, trouble=trouble)
        case Network(way=way, name=name, trouble=trouble):
            return replace(shown, way=way, network=name, network_trouble=trouble)
        case Clock(ahead_s=ahead_s):
            return replace(shown, clock_ahead_s=ahead_s)
        case Trouble(part=part, present=present, detail=detail):
            parts = {name: why for name, why in shown.parts.items() if name != part}
            return replace(shown, parts=parts | ({str(part): detail} if present else {}))
        case _:
            return shown


def _shown(file: Path) -> Shown | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Shown)
    except (OSError, msgspec.DecodeError):
        return None
