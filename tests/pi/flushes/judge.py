"""Whether a state folder keeps what was promised: the hub itself starts on it, and sends.

A call that was durable is sent again. An identity, a list of devices, what a radio owes and the
habits are the last ones that were promised, or some that were being written since: whole, and
never none.
"""

import asyncio
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from drivers.bluetooth.owed_file import OwedFile, clocks
from hub.app import Hub
from hub.config import BlackBoxSettings, Config
from hub.contract.wire import LinkTrouble
from hub.core.model.effects import Lane
from hub.core.supervision import snapshot
from hub.link.session import MqttSettings
from hub.outbox.store import Row
from hub.shared import tls
from hub.shared.identity import AUTHORITY, CERTIFICATE, KEY, read
from provisioning.enrol import keys
from tests.pi.flushes.record import Operation
from tests.pi.flushes.story import BEHIND

HUB = "js-0001"
MOST_ACKS = 1000
REPAIRED = 1  # e2fsck's answer: errors were found and mended, as a replayed journal may be


class Claim(Struct, frozen=True):
    """What the guest said of one thing: it is durable, or it may be from now on."""

    what: str
    value: str
    done: bool = True


def claim_of(operation: Operation) -> Claim | None:
    """Return the claim that a write behind the file system holds."""
    if operation.at < BEHIND or not operation.data.strip(b"\0"):
        return None
    return msgspec.json.decode(operation.data.rstrip(b"\0"), type=Claim)


class Promised:
    """All that was claimed up to a moment. `received`: calls that a centre has stored."""

    def __init__(self, received: Iterable[str] = ()) -> None:
        self.calls: set[str] = set()
        self._received = frozenset(received)
        self.done: dict[str, str] = {}
        self._begun: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, claim: Claim) -> None:
        """Add one claim."""
        if claim.value in self._received:
            return  # the centre has it: the hub may have let go of it
        if claim.what == "call":  # one that is not done may be forgotten: the centre has it
            (self.calls.add if claim.done else self.calls.discard)(claim.value)
        elif claim.done:
            self.done[claim.what] = claim.value
            self._begun[claim.what] = []
        else:
            self._begun[claim.what].append(claim.value)

    def allowed(self, what: str) -> set[str]:
        """Return what may stand there; "" for nothing, where nothing was promised yet."""
        return {self.done.get(what, ""), *self._begun[what]}


class Line:
    """A link that sends at once, and notes what it sends."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acked: Callable[[str], None] = lambda _: None

    def publish(self, row: Row) -> None:
        """Take a message, as a broker does."""
        if row.lane is Lane.SOS:
            self.sent.add(row.id)
        asyncio.get_running_loop().call_soon(self.acked, row.id)

    def hang_up(self, trouble: LinkTrouble) -> None:
        """Stay."""

    def mention(self, topic: str, payload: bytes) -> None:
        """Lose what may be lost."""

    def hurry(self, *, urgent: bool) -> None:
        """Be quick anyway."""


def folder_of(image: Path, place: Path) -> Iterator[str]:
    """Replay the image's journal, copy its files to `place`, and yield what is wrong with it."""
    checked = _run("e2fsck", "-p", "-f", str(image))
    if checked.returncode not in {0, REPAIRED}:
        yield f"e2fsck: {checked.returncode} {checked.stdout.strip()}"
    _run("debugfs", "-R", f"rdump / {place}", str(image))


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)


def wrongs(folder: Path, promised: Promised) -> Iterator[str]:
    """Yield a sentence for each promise that is not kept."""
    yield from asyncio.run(_restarted(folder, promised))
    yield from _unless_allowed("identity", _identity(folder), promised)
    owed = " ".join(one.device for one in OwedFile(folder / "owed.jsonl", clocks()).load())
    yield from _unless_allowed("owed", owed, promised)


def _unless_allowed(what: str, value: str, promised: Promised) -> Iterator[str]:
    if value not in promised.allowed(what):
        yield f"{what}: {value or 'none'}, not one of {sorted(promised.allowed(what))}"


async def _restarted(folder: Path, promised: Promised) -> list[str]:
    """Start the hub on the folder as after a power cut; return what it has not kept."""
    with tempfile.TemporaryDirectory() as run_dir:
        config = Config(
            (), HUB, MqttSettings(brokers=("tls://127.0.0.1:1",)), state_dir=str(folder),
            run_dir=run_dir, blackbox=BlackBoxSettings(file_mb=0),
        )  # fmt: skip
        hub, line = Hub(config, ()), Line()
        delivery = hub.engine.delivery
        line.acked = lambda id_: delivery.acked(id_, refused=False)
        await hub._recover()
        await hub._await_disk()  # where this machine is too busy to read it at once
        trouble, state = hub.outbox.trouble, hub.engine.state
        delivery.carrier = line
        delivery.link_up("tls://127.0.0.1:1")
        for _ in range(MOST_ACKS):
            if promised.calls <= line.sent:
                break
            await hub.engine.turn()
            await asyncio.sleep(0)
        hub.outbox.close()
    found = [f"the outbox: {trouble}"] if trouble else []
    if snapshot.FAULT in state.faults:
        found.append(f"lost: {state.faults[snapshot.FAULT].detail}")
    found += [f"call {id_} is not sent" for id_ in sorted(promised.calls - line.sent)]
    listed = " ".join(one.name for one in hub.devices.devices)
    found += _unless_allowed("devices", hub.devices.trouble or listed, promised)
    found += _unless_allowed("habits", str(state.habits.days or ""), promised)
    return found


def _identity(folder: Path) -> str:
    """Return the number of the identity in use, if TLS can use it."""
    held = read(folder / "identity")
    if held is None:
        return ""
    try:
        tls.context(held.file(AUTHORITY), held.file(CERTIFICATE), held.file(KEY))
        issued = keys.load(Path(held.file(CERTIFICATE)).read_bytes())
    except (OSError, ValueError) as error:
        return f"generation {held.number}: {error}"
    return str(held.number) if issued.hub == held.hub == HUB else f"{issued.hub} in {held.hub}'s"
