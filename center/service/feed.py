"""The feed: small updates that something changed, for every page and program that listens.

A listener that falls behind gets one `resync` in place of what it missed.
"""

import asyncio
from collections.abc import AsyncIterator
from enum import StrEnum

from msgspec import Struct

BACKLOG = 256  # updates; a page that falls further behind reads everything anew


class Topic(StrEnum):
    """What an update is about; `beat`: the centre is alive, `resync`: read everything anew."""

    ALARM = "alarm"
    HUB = "hub"
    LINK = "link"
    NEED = "need"  # a task came or changed
    HOME = "home"  # the day or the record of a home
    VITALS = "vitals"  # readings came from a home, or its limits were changed or taken
    ANNOUNCEMENT = "announcement"  # one was sent, or its state in a home changed
    INSTALL = "install"  # a hub showed something to whoever installs it
    BEAT = "beat"
    RESYNC = "resync"


class Update(Struct, frozen=True):
    """Something changed. `id` is the alarm or else the hub; `version` is the alarm's."""

    topic: Topic
    id: str = ""
    version: int = 0


class Feed:
    """Pass updates to listeners. `tell` and `close` may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[asyncio.Queue[Update | None], str] = {}
        self._closed = False

    def tell(self, update: Update) -> None:
        """Pass an update on. Never blocks; after the end it does nothing."""
        self._in_loop(update)

    def close(self) -> None:
        """End every listener's stream."""
        self._closed = True
        self._in_loop(None)

    def dismiss(self, session: str) -> None:
        """End the streams of a session that is over. Only in the event loop's thread."""
        for inbox, whose in self._listeners.items():
            if whose == session:
                _put(inbox, None)

    async def listen(self, beat_s: float, session: str = "") -> AsyncIterator[Update]:
        """Yield updates as they come, and a `beat` after every `beat_s` seconds without one.

        `session` is the session of the listener, for `dismiss`.
        """
        inbox: asyncio.Queue[Update | None] = asyncio.Queue(BACKLOG)
        self._listeners[inbox] = session
        try:
            while not self._closed:
                try:
                    async with asyncio.timeout(beat_s):
                        update = await inbox.get()
                except TimeoutError:
                    update = Update(Topic.BEAT)
                if update is None:
                    return
                yield update
        finally:
            self._listeners.pop(inbox, None)

    def _in_loop(self, update: Update | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, update)

    def _spread(self, update: Update | None) -> None:
        for inbox in self._listeners:
            _put(inbox, update)


def _put(inbox: asyncio.Queue[Update | None], update: Update | None) -> None:
    if inbox.full():
        while not inbox.empty():
            inbox.get_nowait()
        inbox.put_nowait(Update(Topic.RESYNC))
    inbox.put_nowait(update)
