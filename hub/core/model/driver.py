"""What a driver is: a frozen struct whose fields are its settings, with `async run(port)`.

A driver of `kind = "contact"` is the struct `Driver` in `drivers/contact.py`. It is found by the
name of its kind, so there is no list to edit. The supervisor starts `run` again when it raises or
returns.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from hub.contract.voice import Phrase
from hub.core.model.effects import Order
from hub.core.model.events import Event


class Port(Protocol):
    """What the hub offers to a running driver."""

    def emit(self, event: Event) -> None:
        """Hand over an event. Any thread may call it; it never raises and never blocks."""

    def ready(self) -> None:
        """Report that the device works: the fault of an earlier failure ends."""

    def beat(self) -> None:
        """Report that the driver is alive, from the loop that must not die.

        A driver that has called this once and then stops for 5 s is hung: the watchdog restarts the
        hub.
        """

    def words(self, phrase: Phrase) -> str:
        """Return the text of a phrase, in the home's language."""

    def orders(self) -> AsyncIterator[Order]:
        """Yield what the resident shall see and hear from now on; the last `Show` comes first."""


class Driver(Protocol):
    """A device of the house."""

    @property
    def name(self) -> str:
        """The device's name, unique in the house; events carry it."""

    async def run(self, port: Port) -> None:
        """Work until cancelled; raise when the device cannot be used."""
