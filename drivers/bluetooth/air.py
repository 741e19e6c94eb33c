"""What the radio process needs of Bluetooth: adverts that are heard, and devices to connect to.

`Air` is implemented over BlueZ (`bluez/`) and by the virtual house (`virtual/`); all else in this
room works on either.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from hub.contract.radio import Part

# Between two words to the hub that a device is near. Whoever sets up the home waits so long for one
# that never leaves; a phone is 1,440 events a day, where a band's pulse is 8,640.
SEEN_S = 60.0
BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"


class Advert(Struct, frozen=True):
    """One advert as it was heard at monotonic `at`; `address` in capitals, uuids in full."""

    at: float
    address: str
    name: str = ""
    rssi_dbm: int | None = None
    service_data: dict[str, bytes] = {}
    services: tuple[str, ...] = ()


class Lost(StrEnum):
    """Why a connection could not be made, or ended."""

    NOT_FOUND = "not_found"  # nobody answered: that has cost the adapter nothing
    TIMEOUT = "timeout"  # it answered, and then too late
    BOND_STALE = "bond_stale"  # PIN or Key Missing: the other side has forgotten the bond
    NOT_PERMITTED = "not_permitted"  # not paired, or not with the security that it wants
    NOT_SUPPORTED = "not_supported"  # the device does not do that
    BUSY = "busy"  # the adapter, or the daemon
    ENDED = "ended"


class LostError(Exception):
    """There is no connection; `reason` says why."""

    def __init__(self, reason: Lost, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


class Peripheral(Protocol):
    """A connected device. Every call may raise LostError."""

    @property
    def services(self) -> frozenset[str]:
        """The uuids of its characteristics."""

    async def read(self, characteristic: str) -> bytes:
        """Return a characteristic's value."""

    async def write(self, characteristic: str, value: bytes) -> None:
        """Write a value, and wait for the answer."""

    async def notify(self, characteristic: str, heard: Callable[[bytes], None]) -> None:
        """Call `heard` for each notification or indication, until the connection ends."""

    async def ended(self) -> Lost:
        """Wait until the connection ends; return why."""


class Listener(Protocol):
    """Who is told of what is in the air; no method may block or raise."""

    def heard(self, advert: Advert) -> None:
        """An advert whose data is new, or may be."""

    def near(self, address: str, *, near: bool) -> None:
        """A listed device is in range, or has not been heard for a while.

        That it is, is told again every few seconds while that is known.
        """

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        """A part of the adapter is out of order, or works again."""


class Air(Protocol):
    """Bluetooth, as far as the radio process uses it."""

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever, whatever happens to adapter and daemon, to the listed `addresses`."""

    def connect(self, address: str) -> AbstractAsyncContextManager[Peripheral]:
        """Connect, and disconnect at the end. Raises LostError."""
