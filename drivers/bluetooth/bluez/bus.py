"""A connection to the system's D-Bus that waits when the daemon is slow, and calls with a deadline.

dbus-fast's writer ends the whole connection when the socket's buffer is full at the moment of a
write (EAGAIN; dbus-next issue 153): its `write_callback` treats BlockingIOError as any other error.
A write of nothing is what it understands: it then waits until the socket is writable. So `patient`
puts a socket before it that answers EAGAIN with 0 bytes written.
"""

import asyncio
import os
import socket
from collections.abc import Iterable
from typing import Any

from bleak.backends.bluezdbus.manager import get_global_bluez_manager
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

BLUEZ = "org.bluez"
OBJECTS, PROPERTIES = "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties"
PEER, DBUS = "org.freedesktop.DBus.Peer", "org.freedesktop.DBus"
DBUS_PATH = "/org/freedesktop/DBus"
CALL_S = 10.0  # bluetoothd powers an adapter on within a second or two; D-Bus itself waits 25 s
BROKEN = (OSError, EOFError, DBusError, TimeoutError)


class RefusedError(Exception):
    """A call was answered with an error; `name` is its name on the bus."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {detail}" if detail else name)
        self.name = name


class _PatientSocket:
    """The two calls of dbus-fast's writer: a full buffer means that nothing was written."""

    def __init__(self, own: socket.socket) -> None:
        self._own = own

    def send(self, data: bytes) -> int:
        try:
            return self._own.send(data)
        except BlockingIOError:
            return 0

    def sendmsg(self, buffers: Iterable[bytes], ancillary: Any) -> int:  # noqa: ANN401 - as socket's
        try:
            return self._own.sendmsg(buffers, ancillary)
        except BlockingIOError:
            return 0


def patient(bus: MessageBus) -> MessageBus:
    """Guard a connected bus against EAGAIN; return it."""
    writer = bus._writer  # noqa: SLF001 - there is no other way in; a test fails if it goes
    if writer and writer.sock and not isinstance(writer.sock, _PatientSocket):
        writer.sock = _PatientSocket(writer.sock)  # type: ignore[assignment]
    return bus


async def connect(address: str | None = None) -> MessageBus:
    """Connect to the system's bus, or to `address`. Raises `BROKEN`."""
    address = address or os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    async with asyncio.timeout(CALL_S):
        bus = MessageBus(bus_address=address, bus_type=BusType.SYSTEM)
        return patient(await bus.connect())


async def guard_bleak() -> None:
    """Guard bleak's own connection, too. Raises BleakError or `BROKEN`."""
    manager = await get_global_bluez_manager()
    if manager._bus:  # noqa: SLF001 - there is no other way in; a test fails if it goes
        patient(manager._bus)  # noqa: SLF001


async def call(bus: MessageBus, message: Message, within_s: float = 0.0) -> list[Any]:
    """Call a method; return its answer. Raises `RefusedError`, or `BROKEN` when none comes.

    It waits for `within_s`, or `CALL_S`.
    """
    async with asyncio.timeout(within_s or CALL_S):
        reply = await bus.call(message)
    if reply.message_type is MessageType.ERROR:
        raise RefusedError(reply.error_name or "", str(reply.body[0]) if reply.body else "")
    answer: list[Any] = reply.body
    return answer


async def match(bus: MessageBus, rule: str, *, wanted: bool = True) -> None:
    """Have the bus deliver the signals of a rule, or no more."""
    member, body = "AddMatch" if wanted else "RemoveMatch", [f"type='signal',{rule}"]
    await call(bus, Message(DBUS, DBUS_PATH, DBUS, member, signature="s", body=body))
