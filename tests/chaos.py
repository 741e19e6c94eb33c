"""A line between hub and broker that fails on command: silent, slow, half-open, reset, refused.

with Chaos(broker) as line:                      # bytes pass as they are, TLS inside
with Chaos(broker, hub="js-0001") as line:       # TLS ends here: packets are seen, and lost

    line.port                                    # the hub connects here
    line.up = line.down = Flow.LOST              # a black hole; one way: a half-open link
    line.delay_s = 0.2
    line.loses = lambda packet: packet.kind is Kind.PUBACK
    line.reset(); line.refuse(); line.accept()
"""

import asyncio
import socket
import ssl
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Any, Self

from tests.broker import Broker
from tests.packets import Packet, read_packet


class Flow(Enum):
    """What happens to the bytes of one direction."""

    PASSED = auto()
    LOST = auto()


class Chaos:
    """A TCP proxy in a thread of its own. What it does may be changed at any time."""

    def __init__(self, broker: Broker, *, hub: str = "", certs: Path | None = None) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.up = self.down = Flow.PASSED
        self.delay_s = 0.0
        self.loses: Callable[[Packet], bool] = lambda _packet: False
        self.lost: list[Packet] = []
        self.connections = 0
        self._broker = broker
        self._hub = hub
        self._certs = certs or broker.certs
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos", daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self.accept()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def accept(self) -> None:
        """Listen, again at the same port after `refuse`."""
        self._call(self._listen())

    def refuse(self) -> None:
        """Refuse new connections, and end the open ones."""
        self._call(self._close())

    def reset(self) -> None:
        """End all open connections by RST."""
        self._call(self._reset())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        context = self._context(ssl.Purpose.CLIENT_AUTH, "broker") if self._hub else None
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, ssl=context, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        # All that the loop has, also what is still shaking hands: asyncio tells nobody of those.
        for transport in list(self._loop._transports.values()):  # type: ignore[attr-defined]
            with suppress(OSError):  # closed already
                raw = transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _stop(self) -> None:
        await self._close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(5):  # sockets are closed by callbacks of callbacks
            await asyncio.sleep(0)

    def _context(self, purpose: ssl.Purpose, name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(purpose, cafile=self._certs / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self._certs / f"{name}.crt", self._certs / f"{name}.key")
        return context

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        context = self._context(ssl.Purpose.SERVER_AUTH, f"hubs/{self._hub}") if self._hub else None
        try:
            far_reader, far_writer = await asyncio.open_connection(
                self._broker.host, self._broker.port, ssl=context
            )
        except OSError:
            writer.transport.abort()
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pump(reader, far_writer, up=True), self._pump(far_reader, writer, up=False)
            )
        for end in (writer, far_writer):
            with suppress(AttributeError):  # TLS that has ended, before Python 3.11.3
                end.transport.abort()

    async def _pump(self, reader: StreamReader, writer: StreamWriter, *, up: bool) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        deliverer = asyncio.create_task(self._deliver(late, writer))
        try:
            while data := await self._next(reader, up=up):
                if (self.up if up else self.down) is Flow.PASSED:
                    late.put_nowait((self._loop.time() + self.delay_s, data))
            if (self.up if up else self.down) is Flow.LOST:
                await asyncio.Event().wait()  # the end is lost as well, until a reset
            late.put_nowait((0.0, b""))
            await deliverer
        except OSError:
            writer.transport.abort()
        finally:
            deliverer.cancel()

    async def _deliver(
        self, late: "asyncio.Queue[tuple[float, bytes]]", writer: StreamWriter
    ) -> None:
        while True:
            due, data = await late.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    async def _next(self, reader: StreamReader, *, up: bool) -> bytes:
        if not self._hub:
            return await reader.read(65536)
        try:
            packet = await read_packet(reader, up=up)
            while self.loses(packet):
                self.lost.append(packet)
                packet = await read_packet(reader, up=up)
        except asyncio.IncompleteReadError:
            return b""
        return packet.data
