"""The air over BlueZ (`drivers.bluetooth.air.Air`): who listens, and who connects."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from drivers.bluetooth.air import Listener, Peripheral
from drivers.bluetooth.bluez.connect import Connector
from drivers.bluetooth.bluez.scanner import Scanner
from drivers.bluetooth.settings import Adapters


class BlueZ:
    """Listens on one adapter and connects on one, perhaps the same."""

    def __init__(self, adapters: Adapters) -> None:
        self._scanner, self._connector = Scanner(adapters), Connector(adapters)

    async def listen(self, addresses: AsyncIterator[frozenset[str]], listener: Listener) -> None:
        """Listen for ever, whatever happens to adapter and daemon."""
        await self._scanner.listen(addresses, listener)

    def connect(self, address: str) -> AbstractAsyncContextManager[Peripheral]:
        """Connect, and disconnect at the end. Raises LostError."""
        return self._connector.connect(address)
