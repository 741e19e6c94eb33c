"""The hub's end: orders go out, facts come in, and the process may die at any time.

    nobody --connects, greets--> working --no pong for `hang_s`--> killed --connects--> working
       '--for 20 s--> lost: a fault

The hub listens on a unix socket and never waits for the process: orders that it does not read are
dropped. Whoever started it (systemd, the demo) starts it again.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from hub.contract.json_lines import TFact, TOrder, Vocabulary
from hub.shared.sidecar.peer import Peer
from hub.shared.unix_socket import serving

LOST_S = 20.0  # a missing process must be a fault within 30 s
KEPT, KEPT_S = 8, 10.0  # orders kept while the process is starting, and for how long
STEADY_S = 15.0  # a process that dies sooner, again and again, counts as missing


TFact_contra = TypeVar("TFact_contra", bound=Struct, contravariant=True)


class Device(Protocol[TFact_contra]):
    """What the hub makes of the process."""

    def hear(self, fact: TFact_contra) -> None:
        """Take a fact."""

    def look(self) -> None:
        """Do what is due now and then; called after each `ping_s`."""

    def ready(self) -> None:
        """Note that a process has lived for 15 s."""

    def lost(self, reason: str) -> None:
        """Note that there has been none for 20 s, or none that lived so long. It may raise.

        Called at each look until one is ready.
        """


class Patience(Struct, frozen=True):
    """How often a process is pinged, and for how long the answer may be missing."""

    ping_s: float = 5.0
    hang_s: float = 10.0  # the promised limit for a voice that hangs


class Host(Generic[TFact, TOrder]):
    """The connected process, if any, and the orders that wait for one.

    `whose` names the process in errors: `voice`, `radio`.
    """

    def __init__(
        self,
        whose: str,
        vocabulary: Vocabulary[TFact, TOrder],
        device: Device[TFact],
        patience: Patience,
    ) -> None:
        self._whose, self._vocabulary, self._patience = whose, vocabulary, patience
        self._device = device
        self._peer: Peer[TFact, TOrder] | None = None
        self._gone_at = self._began_at = monotonic()
        self._well = False
        self._waiting: list[tuple[float, TOrder]] = []

    async def serve(self, path: Path, orders: AsyncIterator[TOrder]) -> None:
        """Serve the process at `path` until cancelled, and pass on the orders.

        Raises SocketError when the socket cannot be made, and what the device raises.
        """
        line_bytes = self._vocabulary.line_bytes
        async with serving(path, self._whose, self._welcome, line_bytes=line_bytes):
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._tell(orders))
                    group.create_task(self._watch())
            except ExceptionGroup as group:  # before 3.11.4 `except*` would wrap what it raises
                first, *more = group.exceptions
                raise (group if more else first) from None

    async def _tell(self, orders: AsyncIterator[TOrder]) -> None:
        """Send the orders; without a process, keep the newest for one that is just starting."""
        async for order in orders:
            if self._peer is None:
                self._waiting = [*self._waiting[-KEPT + 1 :], (monotonic(), order)]
            else:
                self._peer.send(order)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one process until it leaves; a newer one takes its place."""
        peer = Peer(reader, writer, self._vocabulary, self._patience.hang_s)
        try:
            async for fact in peer.facts():
                self._take(peer, fact)
        finally:
            peer.close()
            if self._peer is peer:
                self._peer = None
                self._gone_at = monotonic() if self._well else self._gone_at

    def _take(self, peer: Peer[TFact, TOrder], fact: TFact) -> None:
        if self._vocabulary.greets(fact):
            self._begin(peer)
        if (answered := self._vocabulary.answered(fact)) is not None:
            peer.answered(answered)
        self._device.hear(fact)

    async def _watch(self) -> None:
        """Ping the process, kill one that hangs, and say when there is none."""
        while True:
            slept_at = monotonic()
            await asyncio.sleep(self._patience.ping_s)
            self._report()
            peer, now = self._peer, monotonic()
            if peer is None:
                if now - self._gone_at > LOST_S:
                    self._device.lost(f"no {self._whose} process for {LOST_S:.0f} s")
            elif now - slept_at > self._patience.ping_s + self._patience.hang_s:
                continue  # the hub itself was held up: the answer may lie unread
            elif peer.hangs():
                peer.kill()
            else:
                peer.ping()

    def _report(self) -> None:
        """Report ready when the process has lived for 15 s."""
        if self._peer is not None and not self._well and monotonic() - self._began_at >= STEADY_S:
            self._well = True
            self._device.ready()
        self._device.look()

    def _begin(self, peer: Peer[TFact, TOrder]) -> None:
        """Accept a process that works; send it the orders that waited, if not too old."""
        if self._peer not in {None, peer}:
            self._peer.close()
        if self._peer is not peer:
            self._peer, self._well, self._began_at = peer, False, monotonic()
            peer.ping()
        waiting, self._waiting = self._waiting, []
        for at, order in waiting:
            if monotonic() - at <= KEPT_S:
                peer.send(order)
