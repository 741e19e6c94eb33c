"""A cry amid our own words: what the microphone hears while we speak, our own voice taken out.

    loudspeaker --played--> own --.
    microphone --take---> heard --+--> a few seconds --> worker: echo, speech? --> Overheard

The ear is deaf meanwhile. What comes of this may only call for help: no answer is taken from it.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from msgspec import Struct

from voice.hearing import vad
from voice.hearing.hearing import Utterance
from voice.sound import echo
from voice.sound.pcm import from_pcm

BYTES_S = 32_000
LEAD = BYTES_S  # what is looked at again before a stretch, for the echoes that reach into it
RESIDUE = 0.08  # of the loudness of what was heard: what our own voice leaves, 22 dB below
SHORT, LONG = 2 * BYTES_S, 6 * BYTES_S  # a stretch ends in a pause of ours, or where it is long
PAUSE = 10  # pieces of 32 ms
AHEAD = 2 * BYTES_S  # of what is to be played; more means that nobody listens
CHIME = "♪"  # as a text: no words of ours, and yet not nothing
MOST = 4  # stretches that wait for the worker


class Overheard(Struct, frozen=True):
    """Somebody spoke while we did."""

    utterance: Utterance


class _Stretch(Struct, frozen=True):
    heard: bytes
    own: bytes
    lead: int  # bytes of it that were in the last one
    amid: str
    last: bool  # our own speech is over


class Overhearing:
    """`post` runs a function in the loop; `happened` takes there what was overheard."""

    def __init__(
        self, post: Callable[[Callable[[], None]], object], happened: Callable[[object], None]
    ) -> None:
        self._post, self._happened = post, happened
        self._lock = threading.Lock()
        self._playing, self._said = bytearray(), list[str]()
        self._heard, self._own = bytearray(), bytearray()
        self._lead = self._paused = 0
        self._begins = False
        self._work: queue.Queue[_Stretch] | None = None
        self.lost_s = 0.0  # of sound that this machine was too slow for

    def start(self, detect: vad.Detect | None) -> None:
        """Begin; without a detector, which is to be nobody else's, nothing is overheard."""
        if detect is None:
            return
        work: queue.Queue[_Stretch] = queue.Queue(MOST)
        threading.Thread(target=_run, args=(work, detect, self._told), daemon=True).start()
        self._work = work

    def say(self, text: str) -> None:
        """Note what is going to be said."""
        with self._lock:
            self._said.append(text)

    def played(self, pcm: bytes) -> None:
        """Note what goes to the loudspeaker, at 16 kHz; from its thread."""
        with self._lock:
            self._playing += pcm
            del self._playing[:-AHEAD]

    def begin(self) -> None:
        """Note that another sound begins: drivers may swallow the end of the one before."""
        with self._lock:
            self._playing.clear()
            self._begins = True

    def take(self, pcm: bytes) -> None:
        """Take a piece from the microphone's thread while we speak; never waits."""
        with self._lock:
            own = bytes(self._playing[: len(pcm)]).ljust(len(pcm), b"\0")
            del self._playing[: len(pcm)]
            anew = self._begins and any(own)
            self._begins = self._begins and not anew
        if anew:  # each sound is late by an amount of its own
            self._cut(lead=0)
        self._heard += pcm
        self._own += own
        self._paused = 0 if any(own) else self._paused + 1
        fresh = len(self._heard) - self._lead
        if fresh >= LONG or (fresh >= SHORT and self._paused >= PAUSE):
            self._cut()

    def end(self) -> None:
        """Know that we have stopped speaking, and that the ear hears again."""
        self._cut(last=True)
        with self._lock:
            self._playing.clear()
            self._said.clear()
        self._heard.clear()
        self._own.clear()
        self._lead = self._paused = 0

    def _cut(self, *, lead: int = LEAD, last: bool = False) -> None:
        with self._lock:
            amid = " ".join(self._said) or CHIME
        stretch = _Stretch(bytes(self._heard), bytes(self._own), self._lead, amid, last)
        spent = max(0, len(self._heard) - lead)
        del self._heard[:spent], self._own[:spent]
        self._lead = len(self._heard)
        if self._work is not None:
            try:
                self._work.put_nowait(stretch)
            except queue.Full:
                self.lost_s += (len(stretch.heard) - stretch.lead) / BYTES_S

    def _told(self, overheard: Overheard) -> None:
        self._post(partial(self._happened, overheard))


def _run(
    work: "queue.Queue[_Stretch]", detect: vad.Detect, told: Callable[[Overheard], None]
) -> None:
    segments = vad.Segmenter(detect)
    while True:
        stretch = work.get()
        for utterance in _utterances(segments, stretch):
            told(Overheard(utterance))


def _utterances(segments: vad.Segmenter, stretch: _Stretch) -> Iterator[Utterance]:
    """Give what somebody else said, to the end of it or of the stretch that is the last."""
    size = vad.PIECE * 2
    pcm = echo.without(stretch.heard, stretch.own)[stretch.lead :]
    loud = _loudness(stretch.heard)
    if stretch.last:
        pcm += bytes(size * (vad.SILENCE + 1))
    for start in range(0, len(pcm) - size + 1, size):
        for turn in segments.take(pcm[start : start + size]):
            if isinstance(turn, vad.Ended) and _loudness(turn.pcm) > RESIDUE * loud:
                yield Utterance(turn.pcm, cut=turn.cut, amid=stretch.amid)
    if stretch.last:
        segments.reset()


def _loudness(pcm: bytes) -> float:
    """Give the root mean square; 0 for nothing."""
    samples = from_pcm(pcm)
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
