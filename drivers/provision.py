"""The provisioning process as a device: registration and network come in, an order goes out.

The socket, and what happens when the process dies or hangs: `hub.shared.sidecar`. The process
itself is `anbu provision run` (`provisioning/`).
"""

from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import assert_never

from msgspec import Struct

from hub.contract import provision
from hub.contract.forms import Name, SocketPath
from hub.contract.provision import Part
from hub.core.model.driver import Port
from hub.core.model.effects import OpenHotspot
from hub.core.model.events import (
    ClaimChanged,
    ClockCompared,
    DriverFailed,
    Event,
    NetworkChanged,
    Registered,
    SetupPartChanged,
)
from hub.shared.sidecar.host import Host, Patience
from hub.shared.sidecar.reports import Damped

PATIENCE = Patience(ping_s=5.0, hang_s=30.0, flood=100)  # no call waits for it
CHANGE_S = 5.0  # the shortest time between two reports of one part
CLOCK_S = 60.0  # between two reports of the centre's time


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="provision", tag_field="kind"):
    """The socket to which the provisioning process connects."""

    socket: SocketPath = "/run/anbu/provision.sock"
    name: Name = "provision"

    @property
    def registers(self) -> bool:
        """Whether the hub can be registered, and brought onto the network, through it."""
        return True

    @property
    def is_beside(self) -> bool:
        """Whether it is a process of its own, for which the hub does not wait."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the process until cancelled.

        Raises SocketError when the socket cannot be made.
        """
        await Provisioning(self.name, port).serve(Path(self.socket))


class Provisioning:
    """The provisioning process, and what the hub makes of its facts."""

    def __init__(self, name: str, port: Port) -> None:
        self._name, self._port = name, port
        self._parts = Damped(self._tell_part, lambda: CHANGE_S)
        self._clocks = Damped(self._tell_clock, lambda: CLOCK_S)
        self._is_lost = False

    async def serve(self, path: Path) -> None:
        """Serve until cancelled. Raises SocketError."""
        await Host("provisioning", provision.VOCABULARY, self, PATIENCE).serve(path, self._orders())

    def ready(self) -> None:
        """Report that the process works."""
        self._is_lost = False
        self._port.ready()

    def lost(self, reason: str) -> None:
        """Report the fault once, and go on: the socket must be there when the process comes."""
        if not self._is_lost:
            self._is_lost = True
            self._port.emit(DriverFailed(monotonic(), self._name, reason))

    def look(self) -> None:
        """Report what changed too often to be reported at once."""
        self._parts.look()
        self._clocks.look()

    def hear(self, fact: provision.Fact) -> None:
        """Make an event of a fact."""
        match fact:
            case provision.Trouble(part=part):
                self._parts.change(part, fact)
            case provision.Clock(ahead_s=ahead_s):
                self._clocks.change(self._name, ahead_s)
            case _:
                event = event_of(fact, monotonic())
                if event is not None:
                    self._port.emit(event)

    async def _orders(self) -> AsyncIterator[provision.Order]:
        async for order in self._port.orders():
            if isinstance(order, OpenHotspot):
                yield provision.OpenHotspot(order.s)

    def _tell_part(self, part: Part, told: provision.Trouble) -> None:
        changed = SetupPartChanged(monotonic(), self._name, part, told.present, told.detail)
        self._port.emit(changed)

    def _tell_clock(self, _: str, ahead_s: float) -> None:
        self._port.emit(ClockCompared(monotonic(), ahead_s))


def event_of(fact: provision.Fact, at: float) -> Event | None:
    """Return the event of a fact that was read at `at`; None for what is none by itself."""
    match fact:
        case provision.Claiming(digits=digits, trouble=trouble):
            return ClaimChanged(at, digits, trouble)
        case provision.Claimed(hub=hub):
            return Registered(at, hub)
        case provision.Network():
            shown = (fact.name, fact.password, fact.signal_dbm, fact.trouble)
            return NetworkChanged(at, fact.way, *shown)
        case provision.Hello() | provision.Pong() | provision.Clock() | provision.Trouble():
            return None
        case _:
            assert_never(fact)
