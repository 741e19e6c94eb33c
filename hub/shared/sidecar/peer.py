"""One connected process: its lines, its pings, and how it is ended when it hangs."""

import asyncio
import os
import signal
import socket as sockets
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Generic

from hub.contract.json_lines import JsonLineError, TFact, TOrder, Vocabulary, WordError
from hub.shared.unix_socket import read_word

FLOOD_S = 1.0
MISTAKES = 10  # after more lines that have not even the shape of ours, it is another program
BUFFER = 262_144  # bytes that it has not read yet; beyond them orders are dropped


class Peer(Generic[TFact, TOrder]):
    """One connected process. It hangs if it answers a ping later than `hang_s`.

    It is broken if it says more than `flood` words in a second.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        vocabulary: Vocabulary[TFact, TOrder],
        hang_s: float,
        flood: int,
    ) -> None:
        self._reader, self._writer, self._vocabulary = reader, writer, vocabulary
        self._hang_s, self._flood = hang_s, flood
        self._process = _process_of(writer)
        self._pinged, self._ponged = 0, 0
        self._pinged_at = monotonic()
        self._mistakes = 0
        self._burst_at, self._burst = 0.0, 0

    async def facts(self) -> AsyncIterator[TFact]:
        """Yield what it sends until it leaves, floods, or makes too many mistakes.

        A word that this release does not know is passed over: a newer process may say it.
        """
        with suppress(ConnectionError):
            while (word := await read_word(self._reader, self._vocabulary)) is not None:
                if isinstance(word, JsonLineError):
                    self._mistakes += not isinstance(word, WordError)
                elif self._vocabulary.is_fact(word):
                    yield word
                if self._mistakes > MISTAKES or self._floods():
                    self.kill()
                    return
                await asyncio.sleep(0)  # else a full buffer would hold up the loop, and a press

    def send(self, order: TOrder) -> None:
        """Send an order, unless the process has long stopped reading."""
        if self._writer.transport.get_write_buffer_size() < BUFFER:
            self._writer.write(self._vocabulary.encode(order))

    def ping(self) -> None:
        """Send a ping, unless the last one is not answered yet."""
        if self._pinged == self._ponged:
            self._pinged, self._pinged_at = self._pinged + 1, monotonic()
            self.send(self._vocabulary.ping(self._pinged))

    def answered(self, n: int) -> None:
        """Note the answer to ping `n`."""
        if n == self._pinged:
            self._ponged = n

    def hangs(self) -> bool:
        """Whether the answer to a ping is late."""
        return self._pinged != self._ponged and monotonic() - self._pinged_at > self._hang_s

    def kill(self) -> None:
        """Kill a process that hangs, so that it is started again; this works under SIGSTOP too."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        if self._process is not None:
            os.close(self._process)
            self._process = None

    def _floods(self) -> bool:
        now = monotonic()
        if now - self._burst_at > FLOOD_S:
            self._burst_at, self._burst = now, 0
        self._burst += 1
        return self._burst > self._flood


def _process_of(writer: asyncio.StreamWriter) -> int | None:
    """Return a handle on the peer's process; it stays valid when the process id is used again."""
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
