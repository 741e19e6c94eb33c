"""What a service of a wearable is to the connection loop, and what it may use."""

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec import Struct

from drivers.bluetooth.air import Lost, LostError, Peripheral
from drivers.bluetooth.frames.octets import Refusal
from hub.contract.radio import Fact

WITHHELD = {Lost.NOT_PERMITTED, Lost.NOT_SUPPORTED}


def uuid(short: int) -> str:
    """Return the full uuid of a number that the Bluetooth SIG assigned."""
    return f"0000{short:04x}-0000-1000-8000-00805f9b34fb"


class Around(Struct, frozen=True):
    """What a wearable's services use of the process around them."""

    tell: Callable[[Fact], None]
    refuse: Callable[[str], None]  # counts a refused frame by its reason
    at: Callable[[], float]  # monotonic seconds
    utc: Callable[[], float | None]  # the wall clock; None: it is not synchronised


class Service(Protocol):
    """One service of one wearable, for all of its connections."""

    @property
    def wants(self) -> tuple[str, ...]:
        """The characteristics that it subscribes to, where the device has them."""

    @property
    def measures(self) -> bool:
        """Whether its frames show that the wearable measures: their silence is a trouble."""

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Tell what a notification or an indication says, or count why it says nothing."""

    async def begin(self, peripheral: Peripheral) -> None:
        """Read and write what it needs at each connection, after the subscriptions.

        Raises LostError.
        """

    def end(self) -> None:
        """Tell what is still held back: the connection has ended."""

    def greeting(self) -> Iterable[Fact]:
        """Return what a hub that has just connected has to know."""


def whole(reason: Refusal | None, around: Around) -> bool:
    """Count what a frame is refused for; return whether it could be read to its end.

    Of a frame that was cut, no value is taken: what is missing may be its date, or whose it is.
    """
    if reason:
        around.refuse(reason)
    return reason not in {Refusal.EMPTY, Refusal.TRUNCATED}


def known(**values: float | None) -> dict[str, float]:
    """Return the values that were measured."""
    return {name: value for name, value in values.items() if value is not None}


async def read(peripheral: Peripheral, characteristic: str) -> bytes | None:
    """Read what is of use but not needed; None: the device has it not, or does not give it.

    Raises LostError when the connection has ended.
    """
    if characteristic not in peripheral.services:
        return None
    try:
        return await peripheral.read(characteristic)
    except LostError as error:
        if error.reason not in WITHHELD:
            raise
        return None
