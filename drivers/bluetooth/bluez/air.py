"""The air over BlueZ: who listens, and who connects once somebody has to be connected to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from drivers.bluetooth.air import Listener, Peripheral
from drivers.bluetooth.bluez.scanner import Scanner
from drivers.bluetooth.settings import Adapters

if TYPE_CHECKING:
    from drivers.bluetooth.bluez.connect import Connector

CONNECT = "drivers.bluetooth.bluez.connect"


class BlueZ:
    """`Air` (`drivers.bluetooth.air`) over BlueZ."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters
        self._scanner = Scanner(adapters)
        self._connector: Connector | None = None

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever, whatever happens to adapter and daemon."""
        await self._scanner.listen(addresses, listener)

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Peripheral]:
        """Connect, and disconnect at the end. Raises LostError."""
        connector = await self._connecting()
        async with connector.connect(address) as peripheral:
            yield peripheral

    async def _connecting(self) -> "Connector":
        """Load what connects: a home without a wearable does without its 5 MB.

        In a thread, since on a slow card that takes as long as the hub lets a radio hang.
        """
        if self._connector is None:
            module = await asyncio.to_thread(import_module, CONNECT)
            self._connector = module.Connector(self._adapters)
        return self._connector
