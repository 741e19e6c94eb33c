"""Between microphone and understanding: a thread that hears, and is deaf while we speak ourselves.

    microphone thread --piece--> queue --> this thread: hearing.take --> loop: began, ended
                          '--while we speak--> amid (voice/hearing/overhear.py)

`ask` travels the same queue: an answer proves that whoever hears is alive. What is heard from the
beginning of own speech to `AFTER_S` behind its end never comes to `hearing`.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Protocol

from msgspec import Struct

AFTER_S = 0.3  # the room's echo, and what was still on its way through the sound card
MOST = 300  # pieces that wait: 10 s
BYTES_S = 32_000


class Forgotten(Struct, frozen=True):
    """What had been heard so far was thrown away; who was speaking did not end."""


class Listener(Protocol):
    """What `voice.hearing.hearing.Hearing` does for us."""

    def take(self, pcm: bytes) -> Sequence[object]:
        """Take a piece; say when speech begins and ends."""
        ...

    def reset(self) -> None:
        """Forget what is buffered."""
        ...


class Amid(Protocol):
    """What `voice.hearing.overhear.Overhearing` does for us."""

    def say(self, text: str) -> None:
        """Note what is going to be said."""
        ...

    def take(self, pcm: bytes) -> None:
        """Take a piece while we speak; never waits."""
        ...

    def end(self) -> None:
        """Know that we have stopped speaking."""
        ...


class Ear:
    """`post` runs a function in the loop; `happened` takes there what `Hearing.take` gave."""

    def __init__(
        self, post: Callable[[Callable[[], None]], object], happened: Callable[[object], None],
        amid: Amid,
    ) -> None:  # fmt: skip
        self._post, self._happened, self._amid = post, happened, amid
        self._queue: queue.Queue[bytes | Callable[[], object]] = queue.Queue(MOST)
        self._listener: Listener | None = None
        self._covered = 0
        self._deaf_until = 0.0
        self._stale = self._spoke = False
        self._lock = threading.Lock()
        self.lost_s = 0.0  # of sound that this machine was too slow for

    def start(self) -> None:
        """Begin to hear."""
        threading.Thread(target=self._run, name="ear", daemon=True).start()

    def give(self, listener: Listener) -> None:
        """Hear with it from now on; until then all sound is thrown away."""
        self._listener = listener

    def take(self, pcm: bytes) -> None:
        """Take a piece from the microphone's thread; never waits."""
        if self._covered or monotonic() < self._deaf_until:
            self._amid.take(pcm)
            self._stale = self._spoke = True
            return
        if self._spoke:
            self._amid.end()
            self._spoke = False
        if self._stale and self._put(self._forget):
            self._stale = False
        self._put(pcm)

    def ask(self, answer: Callable[[], None]) -> None:
        """Have `answer` run in the loop once the thread has come to it; in a full queue, never."""
        self._put(partial(self._post, answer))

    def cover(self, text: str = "") -> None:
        """Be deaf: we speak (a text). From any thread, in pairs with `uncover`."""
        if text:
            self._amid.say(text)
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
            self.lost_s += len(item) / BYTES_S if isinstance(item, bytes) else 0.0
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
                for event in self._listener.take(item):
                    self._post(partial(self._happened, event))
