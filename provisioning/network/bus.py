"""A connection to the system's D-Bus, and calls with a deadline.

What is sent here is small and seldom. Should the socket's buffer be full all the same, dbus-fast
ends the connection (`drivers.bluetooth.bluez.bus`), and the service connects again.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

DBUS, DBUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
PROPERTIES, OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
CALL_S = 25.0  # as libdbus waits; a Pi that starts is slow
BROKEN = (OSError, EOFError, AuthError, DBusError, InvalidAddressError, TimeoutError)
Heard = Callable[[Message], None]


class RefusedError(Exception):
    """A call was answered with an error; `name` is its name on the bus."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name


async def connect(address: str | None = None) -> MessageBus:
    """Connect to the system's bus, or to `address`. Raises `BROKEN`."""
    address = address or os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    async with asyncio.timeout(CALL_S):
        return await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect()


async def call(bus: MessageBus, message: Message) -> list[Any]:
    """Call a method; return its answer. Raises `RefusedError`, or `BROKEN` when none comes."""
    async with asyncio.timeout(CALL_S):
        reply = await bus.call(message)
    if reply.message_type is MessageType.ERROR:
        raise RefusedError(reply.error_name or "", str(reply.body[0]) if reply.body else "")
    answer: list[Any] = reply.body
    return answer


async def match(bus: MessageBus, rule: str) -> None:
    """Have the bus deliver the signals of a rule. Raises as `call`."""
    body = [f"type='signal',{rule}"]
    await call(bus, Message(DBUS, DBUS_PATH, DBUS, "AddMatch", signature="s", body=body))
