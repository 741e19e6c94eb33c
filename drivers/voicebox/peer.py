"""The other end of the voicebox's socket: one voice process, its lines and its pulse."""

import asyncio
import os
import signal
import socket as sockets
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic

from hub.contract.json_lines import JsonLineError
from hub.contract.voice import Fact, Order, Ping, encode
from hub.shared.unix_socket import read_word

HANG_S = 10.0  # the promise for a voice that hangs
FLOOD, FLOOD_S = 200, 1.0  # words that no mouth and no ear make in a second: it is broken
MISTAKES = 10  # lines that are no word; then it is another program
BUFFER = 262_144  # a voice that reads nothing any more: what it cannot take is let go


class Peer:
    """One connected voice process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._process = _process_of(writer)
        self._pinged, self._ponged = 0, 0
        self._pinged_at = monotonic()
        self._mistakes = 0
        self._burst_at, self._burst = 0.0, 0

    async def facts(self) -> AsyncIterator[Fact]:
        """Give what it says until it leaves, talks nonsense, floods or breaks off."""
        with suppress(ConnectionError):
            while (word := await read_word(self._reader)) is not None:
                if isinstance(word, JsonLineError):
                    self._mistakes += 1
                elif isinstance(word, Fact):
                    yield word
                if self._mistakes > MISTAKES or self._floods():
                    self.kill()
                    return
                await asyncio.sleep(0)  # a full buffer would hold up the loop, and a press with it

    def send(self, order: Order) -> None:
        """Say it, unless the voice has long stopped reading."""
        if self._writer.transport.get_write_buffer_size() < BUFFER:
            self._writer.write(encode(order))

    def ping(self) -> None:
        """Ask whether it is there; a ping that is not answered yet is not repeated."""
        if self._pinged == self._ponged:
            self._pinged, self._pinged_at = self._pinged + 1, monotonic()
            self.send(Ping(self._pinged))

    def answered(self, n: int) -> None:
        """Take its word that it is there."""
        if n == self._pinged:
            self._ponged = n

    def hangs(self) -> bool:
        """Tell whether it owes an answer for too long."""
        return self._pinged != self._ponged and monotonic() - self._pinged_at > HANG_S

    def kill(self) -> None:
        """End a process that hangs, so that it is started again; SIGSTOP does not hold that up."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
        if self._process is not None:
            os.close(self._process)
            self._process = None

    def _floods(self) -> bool:
        now = monotonic()
        if now - self._burst_at > FLOOD_S:
            self._burst_at, self._burst = now, 0
        self._burst += 1
        return self._burst > FLOOD


def _process_of(writer: asyncio.StreamWriter) -> int | None:
    """Open a handle on the peer's process, which stays its own when the number is used again."""
    sock: sockets.socket = writer.get_extra_info("socket")
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack(
        "3i", sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, size)
    )
    if uid != os.getuid() or pid == os.getpid():
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
