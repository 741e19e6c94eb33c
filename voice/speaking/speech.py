"""Speaking aloud: text to sound, sound to the loudspeaker; the capture is deaf meanwhile."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Protocol

from msgspec import Struct

from voice.hearing.capture import Capture
from voice.sound.effects import chime, slowed
from voice.sound.loudspeaker import Loudspeaker
from voice.sound.pcm import Audio
from voice.sound.portaudio import SoundError

log = logging.getLogger(__name__)
READY_S = 15.0  # how long a sentence waits for the mouth to have been loaded
BETWEEN_S = 0.1  # sentences; the loudspeaker adds a third of a second
POLITE_S = 8.0  # how long we wait for a resident who is talking


class Talker(Protocol):
    """What `voice.speaking.mouth.Mouth` does for us."""

    def parts(self, text: str, *, slow: bool = False) -> Iterator[Audio]:
        """Yield the sentences; blocks while each is made; never raises."""
        ...


class Manner(Struct, frozen=True):
    """How to speak at present: `times` as long as usual."""

    volume_pct: float
    times: float = 1.0


class Speech:
    """Says one thing at a time; `manner` is asked before each."""

    def __init__(
        self, loudspeaker: Loudspeaker, capture: Capture, manner: Callable[[bool], Manner]
    ) -> None:
        self._loudspeaker, self._capture, self._manner = loudspeaker, capture, manner
        self._mouth: asyncio.Future[Talker] = asyncio.get_running_loop().create_future()
        self._making = ThreadPoolExecutor(2, "mouth")  # a long text must not delay an urgent one
        self._playing = ThreadPoolExecutor(1, "loudspeaker")
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.trouble = ""  # why nothing can be heard from us

    def use_mouth(self, mouth: Talker) -> None:
        """Speak with this mouth from now on."""
        self._mouth.set_result(mouth)

    def resident_talks(self, talking: bool) -> None:  # noqa: FBT001 - a fact
        """Note whether the resident is talking: we wait for the end of it."""
        (self._quiet.clear if talking else self._quiet.set)()

    async def say(
        self, text: str, *, slow: bool = False, loud: bool = False, blunt: bool = False
    ) -> bool:
        """Say it to its end; False when nothing could be heard. If cancelled, be silent at once.

        `loud`: also at night; `blunt`: even while the resident talks.
        """
        try:
            async with asyncio.timeout(READY_S):
                mouth = await asyncio.shield(self._mouth)
        except TimeoutError:
            log.warning("the mouth is not ready")
            return False
        played = False
        parts, manner = mouth.parts(text, slow=slow), self._manner(loud)
        audio = await self._next(parts, manner)
        if not blunt:
            await self._politely()
        with self._covered(text):
            while audio is not None:
                coming = asyncio.create_task(self._next(parts, manner, BETWEEN_S))
                try:
                    if not await self._sound(audio, manner):
                        return False
                    played = played or any(audio.pcm)
                    audio = await coming
                finally:
                    coming.cancel()
        return played

    async def chime(self) -> bool:
        """Sound the chime; returns as `say` does."""
        await self._politely()
        with self._covered():
            return await self._sound(chime(), self._manner(False))  # noqa: FBT003 - not urgent

    async def look(self) -> None:
        """Find out whether there is a loudspeaker; silent."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._playing, self._loudspeaker.look)
        except SoundError as error:
            self._failed(error)
        else:
            self.trouble = ""

    async def _next(
        self, parts: Iterator[Audio], manner: Manner, after_s: float = 0.0
    ) -> Audio | None:
        """Make the next sentence with `after_s` of silence before it; None after the last."""

        def made() -> Audio | None:
            audio = next(parts, None)
            if audio is None or not audio.pcm:
                return audio
            spoken = slowed(audio, manner.times)
            return Audio(bytes(int(after_s * spoken.rate_hz) * 2) + spoken.pcm, spoken.rate_hz)

        return await asyncio.get_running_loop().run_in_executor(self._making, made)

    async def _politely(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLITE_S):
                await self._quiet.wait()

    @contextlib.contextmanager
    def _covered(self, text: str = "") -> Iterator[None]:
        self._capture.cover(text)
        try:
            yield
        finally:
            self._capture.uncover()

    async def _sound(self, audio: Audio, manner: Manner) -> bool:
        stop = Event()
        play = partial(self._play, audio, manner.volume_pct, stop)
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._playing, play)
        except SoundError as error:
            self._failed(error)
            return False
        finally:
            stop.set()
        self.trouble = ""
        return done

    def _play(self, audio: Audio, volume_pct: float, stop: Event) -> bool:
        if stop.is_set():
            return False
        with self._covered():  # also if `say` was cancelled meanwhile
            return self._loudspeaker.play(audio, volume_pct, stop)

    def _failed(self, error: SoundError) -> None:
        if str(error) != self.trouble:
            log.warning("no loudspeaker: %s", error)
        self.trouble = str(error)
