"""`org.bluez.Agent1`: what BlueZ asks when a device is paired, and what a person answers.

The agent is registered while the window is open, and answers every call at once or by a task, so
that it never blocks the loop. BlueZ gives up after 60 s. Only BlueZ itself is answered. One device
at a time: a second request is refused while a person looks at the first.

| BlueZ calls | what it means | answer |
|---|---|---|
| RequestConfirmation | both sides show six digits | a person's yes |
| RequestPasskey | the device shows a key | the key, typed at our side |
| DisplayPasskey | our digits are typed at the device | none is waited for |
| RequestAuthorization | Just Works: no digits at all | yes for kinds that are listed as such |
| PIN codes, AuthorizeService | old devices, services that we do not have | refused |
"""

import asyncio
from typing import Protocol

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus
from msgspec import Struct

from hub.contract.radio import Wanted

AGENT, AGENTS, ROOT = "org.bluez.Agent1", "org.bluez.AgentManager1", "/org/bluez"
PATH = "/anbu/pairing/agent"
CAPABILITY = "KeyboardDisplay"
REJECTED, CANCELED = "org.bluez.Error.Rejected", "org.bluez.Error.Canceled"


class Said(Struct, frozen=True, omit_defaults=True):
    """A person's answer: yes or no, and the key where the device shows one; `ask`: to what."""

    yes: bool
    key: str = ""
    ask: int = 0  # 0: to whatever waits


class Persons(Protocol):
    """Who answers; `device` is the object path of the device that asks."""

    async def ask(self, device: str, wanted: Wanted, digits: str) -> Said:
        """Ask a person."""

    def show(self, device: str, digits: str) -> bool:
        """Show digits that are typed at the device; return whether it may be paired."""

    def just_works(self, device: str) -> bool:
        """Return whether the device may be paired without digits."""

    def refuse(self, reason: str) -> None:
        """Count a request that was refused."""

    def left(self, device: str) -> None:
        """Note that the device broke off what a person was asked about."""

    def released(self) -> None:
        """Note that BlueZ does not know the agent any more."""


class Agent:
    """Answers BlueZ; `owner` is the unique name of BlueZ on the bus."""

    def __init__(self, bus: MessageBus, persons: Persons) -> None:
        self._bus, self._persons = bus, persons
        self.owner = ""
        self._asking: asyncio.Task[None] | None = None
        self._device = ""

    def called(self, message: Message) -> Message | bool | None:
        """Answer a call of BlueZ; None for any other message."""
        ours = message.path == PATH and message.interface == AGENT
        if not ours or message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.sender != self.owner:
            return self._refused(message, "pairing_not_bluez")
        match message.member, message.body:
            case "RequestConfirmation", [str(device), int(number)]:
                return self._ask(message, device, Wanted.COMPARE, f"{number:06d}")
            case "RequestPasskey", [str(device)]:
                return self._ask(message, device, Wanted.TYPE)
            case "DisplayPasskey", [str(device), int(number), _]:
                return self._show(message, device, f"{number:06d}")
            case "RequestAuthorization", [str(device)]:
                if self._persons.just_works(device):
                    return Message.new_method_return(message)
                return self._refused(message, "pairing_without_digits")
            case "Cancel", _:
                self._break_off()
            case "Release", _:
                self.owner = ""
                self._persons.released()
            case _:
                return self._refused(message, "pairing_old_kind")
        return Message.new_method_return(message)

    def drop(self) -> None:
        """Answer no to whatever is being asked: the window is shut."""
        if self._asking is not None:
            self._asking.cancel()

    def _ask(
        self, message: Message, device: str, wanted: Wanted, digits: str = ""
    ) -> Message | bool:
        if self._asking is not None:
            return self._refused(message, "pairing_second")
        self._device = device
        self._asking = asyncio.create_task(self._answer(message, device, wanted, digits))
        self._asking.add_done_callback(self._asked)
        return True  # the task replies

    def _asked(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _answer(self, message: Message, device: str, wanted: Wanted, digits: str) -> None:
        reply = Message.new_error(message, CANCELED, "")
        try:
            said = await self._persons.ask(device, wanted, digits)
            if not said.yes:
                reply = Message.new_error(message, REJECTED, "")
            elif wanted is Wanted.TYPE:
                reply = Message.new_method_return(message, "u", [int(said.key)])
            else:
                reply = Message.new_method_return(message)
        finally:
            if self._bus.connected:
                self._bus.send(reply)

    def _show(self, message: Message, device: str, digits: str) -> Message:
        if not self._persons.show(device, digits):
            return self._refused(message, "pairing_unasked")
        return Message.new_method_return(message)

    def _break_off(self) -> None:
        if self._asking is not None:
            self._persons.left(self._device)
            self._asking.cancel()

    def _refused(self, message: Message, reason: str) -> Message:
        self._persons.refuse(reason)
        return Message.new_error(message, REJECTED, "")
