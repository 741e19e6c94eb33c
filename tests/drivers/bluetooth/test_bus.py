"""dbus-fast's connection outlives a daemon that is slow for a while."""

import asyncio

import pytest
from bleak.backends.bluezdbus.manager import get_global_bluez_manager
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus

from drivers.bluetooth.bluez import bus as dbus
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

BIG = "x" * 1_000_000  # more than a socket's buffer holds


def send(bus: MessageBus) -> asyncio.Future[None]:
    return bus.send(Message.new_signal("/anbu", "org.anbu.Test", "Flood", "s", [BIG]))


def test_a_full_socket_is_waited_for(bus: PrivateBus) -> None:
    async def story() -> None:
        connection = await dbus.connect()
        bus.stop()
        sent = [send(connection), send(connection)]
        assert connection.connected
        assert not any(future.done() for future in sent)
        bus.resume()
        async with asyncio.timeout(10):
            await asyncio.gather(*sent)
        ping = Message(dbus.DBUS, dbus.DBUS_PATH, dbus.PEER, "Ping")
        assert await dbus.call(connection, ping) == []
        connection.disconnect()

    asyncio.run(story())


def test_without_the_guard_the_connection_is_lost_by_that(bus: PrivateBus) -> None:
    """When this fails, dbus-fast waits by itself, and the guard may go."""

    async def story() -> None:
        connection = await MessageBus(bus_type=BusType.SYSTEM).connect()
        bus.stop()
        first = send(connection)
        with pytest.raises(OSError, match="Bad file descriptor"):
            send(connection)
        with pytest.raises(BlockingIOError):
            await first
        with pytest.raises(BlockingIOError):
            await connection.wait_for_disconnect()  # type: ignore[no-untyped-call]
        bus.resume()

    asyncio.run(story())


def test_bleaks_own_connection_waits_too(bus: PrivateBus) -> None:
    async def story() -> bool:
        await dbus.guard_bleak()
        manager = await get_global_bluez_manager()
        connection = manager._bus
        assert connection
        bus.stop()
        sent = [send(connection), send(connection)]
        bus.resume()
        async with asyncio.timeout(10):
            await asyncio.gather(*sent)
        return connection.connected

    with FakeBlueZ(bus):
        assert asyncio.run(story())
