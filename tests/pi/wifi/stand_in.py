"""Stands in for the hub at its socket: keeps what it is told, and gives one order a file.

It has the hub's own protocol. Beside the socket: `facts`, each as it came; `order`, seconds of a
hotspot.
"""

import asyncio
from pathlib import Path

from hub.contract.provision import VOCABULARY, OpenHotspot

SOCKET = Path("/run/anbu/provision.sock")
FACTS, ORDER = SOCKET.with_name("facts"), SOCKET.with_name("order")


async def orders(writer: asyncio.StreamWriter) -> None:
    """Pass each order on. Never ends."""
    while True:
        await asyncio.sleep(0.1)
        if ORDER.exists():
            seconds = float(ORDER.read_text())
            ORDER.unlink()
            writer.write(VOCABULARY.encode(OpenHotspot(seconds)))


async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hear one process to its end."""
    ordering = asyncio.create_task(orders(writer))
    async for line in reader:
        with FACTS.open("ab") as file:
            file.write(line)
    ordering.cancel()


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.start_unix_server(met, SOCKET)
    await server.serve_forever()


asyncio.run(main())
