"""What a driver is: a frozen struct whose fields are its config, with `async run(port)`.

A driver of `kind = "contact"` is the struct `Driver` in `drivers/contact.py`; the config names the
kind, so there is no list to edit. The supervisor starts `run` again when it raises or returns.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from hub.contract.voice import Phrase
from hub.core.model.effects import Order
from hub.core.model.events import Event


class Port(Protocol):
    """What the hub lends a running driver."""

    def emit(self, event: Event) -> None:
        """Hand over a fact. Any thread may call it; it never raises and never blocks."""

    def ready(self) -> None:
        """Say that the device works: a fault of an earlier failure is over."""

    def beat(self) -> None:
        """Say "still alive", from the loop that must not die.

        A driver that has beaten once and then stops for 5 s is hung: the watchdog restarts the hub.
        """

    def words(self, phrase: Phrase) -> str:
        """Give what to say for a phrase, in the home's language."""

    def orders(self) -> AsyncIterator[Order]:
        """What the resident shall see and hear from now on, beginning with the last `Show`."""


class Driver(Protocol):
    """A device of the house."""

    @property
    def name(self) -> str:
        """The device's name, unique in the house; events carry it."""

    async def run(self, port: Port) -> None:
        """Work until cancelled; raise when the device cannot be used."""
