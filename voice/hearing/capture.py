"""Capture: between the microphone's thread and hearing; discards sound while we speak ourselves.

    microphone thread --piece--> queue --> this thread: Hearing.take_piece --> loop: began, ended
                          '--while we speak--> Overhearing (voice/hearing/overhear.py)

`ask` uses the same queue, so that an answer proves that this thread is alive. What is heard from
the beginning of own speech until `AFTER_S` after its end never reaches `Hearing`.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Protocol

from msgspec import Struct

from voice.sound.pcm import HEARING_BYTES_S

AFTER_S = 0.3  # the room's echo, and what was still on its way through the sound card
MOST = 300  # pieces that wait: 10 s


class Forgotten(Struct, frozen=True):
    """What was heard so far was discarded; whoever was speaking did not end."""


class Listener(Protocol):
    """What `voice.hearing.hearing.Hearing` does for us."""

    def take_piece(self, pcm: bytes) -> Sequence[object]:
        """Judge a piece; return the events: speech began, speech ended."""
        ...

    def reset(self) -> None:
        """Discard what is buffered."""
        ...


class OwnSpeechListener(Protocol):
    """What `voice.hearing.overhear.Overhearing` does for us."""

    def say(self, text: str) -> None:
        """Note what is going to be said."""
        ...

    def take_piece(self, pcm: bytes) -> None:
        """Note a piece that was heard while we speak; never wait."""
        ...

    def end(self) -> None:
        """Note that we have stopped speaking."""
        ...


class Capture:
    """`post` runs a function in the loop; `happened` gets there each event of the listener."""

    def __init__(
        self, post: Callable[[Callable[[], None]], object], happened: Callable[[object], None],
        overhearing: OwnSpeechListener,
    ) -> None:  # fmt: skip
        self._post, self._happened, self._overhearing = post, happened, overhearing
        self._queue: queue.Queue[bytes | Callable[[], object]] = queue.Queue(MOST)
        self._listener: Listener | None = None
        self._covered = 0
        self._deaf_until = 0.0
        self._stale = self._spoke = False
        self._lock = threading.Lock()
        self.lost_s = 0.0  # of sound that this machine was too slow for

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="capture", daemon=True).start()

    def use_listener(self, listener: Listener) -> None:
        """Pass all pieces to `listener` from now on; until then they are discarded."""
        self._listener = listener

    def take_piece(self, pcm: bytes) -> None:
        """Queue a piece, from the microphone's thread; never wait."""
        if self._covered or monotonic() < self._deaf_until:
            self._overhearing.take_piece(pcm)
            self._stale = self._spoke = True
            return
        if self._spoke:
            self._overhearing.end()
            self._spoke = False
        if self._stale and self._put(self._forget):
            self._stale = False
        self._put(pcm)

    def ask(self, answer: Callable[[], None]) -> None:
        """Run `answer` in the loop after the pieces that wait; if the queue is full, never."""
        self._put(partial(self._post, answer))

    def cover(self, text: str = "") -> None:
        """Hear nothing: we speak (a text). From any thread, in pairs with `uncover`."""
        if text:
            self._overhearing.say(text)
        with self._lock:
            self._covered += 1

    def uncover(self) -> None:
        """Hear again, `AFTER_S` from now."""
        with self._lock:
            self._deaf_until = monotonic() + AFTER_S
            self._covered -= 1

    def _put(self, item: bytes | Callable[[], object]) -> bool:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.lost_s += len(item) / HEARING_BYTES_S if isinstance(item, bytes) else 0.0
            return False
        return True

    def _forget(self) -> None:
        if self._listener is not None:
            self._listener.reset()
        self._post(partial(self._happened, Forgotten()))

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if not isinstance(item, bytes):
                item()
            elif self._listener is not None:
                for event in self._listener.take_piece(item):
                    self._post(partial(self._happened, event))
