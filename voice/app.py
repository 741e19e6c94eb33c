"""The voice process, put together: what is heard goes in, what is said goes out, the hub decides.

    microphone -> ear -> hearing -> judge -> stage -> speech -> loudspeaker
                                              | ^
                                   facts -> link (hub) -> orders

It may be killed at any moment. It ends itself by plan (memory, once a night) when nobody talks, and
when PortAudio has not come back for `HUNG_S`; whoever started it starts it again.
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from hub.contract.voice import Hello, Meaning, Order, Part, Ping
from hub.shared.system import give_back, rss_mb
from voice.dialogue.stage import Stage
from voice.hearing.capture import Ear, Forgotten
from voice.hearing.hearing import Hearing, SpeechBegan, SpeechEnded, Utterance
from voice.hearing.overhear import Overheard, Overhearing
from voice.hearing.queue import Judging
from voice.hearing.recordings import KEPT, keep
from voice.link import Link
from voice.loading import Loaded, load, plans_of, richer
from voice.settings import VoiceSettings
from voice.sound.loudspeaker import Loudspeaker
from voice.sound.microphone import Microphone
from voice.sound.portaudio import PortAudio
from voice.speaking.preferences import Service
from voice.speaking.speech import Speech
from voice.status import HUNG_S, Health, Losses, listening, restart_due
from voice.understanding.understand import Expecting, Intent, Understood

log = logging.getLogger(__name__)
BROKEN_EXIT, HUNG_EXIT = 70, 75  # EX_SOFTWARE, EX_TEMPFAIL: start me again
LOOK_S, WATCH_S, TIDY_S = 20.0, 1.0, 60.0


class App:
    """One run of the process."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._loop, self._since = asyncio.get_running_loop(), time.monotonic()
        self._service = Service(settings)
        sound = PortAudio()
        self._overhearing = Overhearing(self._post, self._happened)
        self._ear = Ear(self._post, self._happened, self._overhearing)
        self._mic = Microphone(
            sound, settings.microphone, self._ear.take, silent_s=settings.silent_s
        )
        self._loudspeaker = Loudspeaker(sound, settings.loudspeaker, self._overhearing)
        self._speech = Speech(self._loudspeaker, self._ear, self._service.manner)
        self._link = Link(settings.socket, self._take, lambda: [self._hello, *self._health.facts()])
        self._health = Health(self._link.tell)
        plans, wrong = plans_of(settings)
        self._health.note(Part.SPEECH, wrong)
        self._stage = Stage(self._speech, plans, self._link.tell, self._service.serve)
        self._judging = Judging(self._judged, self._told)
        self._jobs: set[asyncio.Task[None]] = set()
        self._hearing: Hearing | None = None
        self._hello = Hello(spoken_sos=settings.spoken_sos, tells_words=settings.tell_words)
        self._losses = Losses(self._ear, self._overhearing)
        self._ended, self._broken = asyncio.Event(), False

    async def run(self) -> int:
        """Serve until asked to end, or due to begin anew: the exit code. Raises what broke."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ended.set)
        self._ear.start()
        self._mic.start()
        loading = asyncio.to_thread(
            load, self._settings, lambda found: self._post(lambda: self._furnish(found))
        )
        self._start(loading)
        endless = (self._link.run(), self._stage.run(), self._watch())
        tasks = [asyncio.create_task(work) for work in endless]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return BROKEN_EXIT if self._broken else 0

    def _post(self, work: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(work)

    def _furnish(self, found: Loaded) -> None:
        """Take what the loader has made."""
        self._hello = richer(self._hello, found)
        log.info("ready after %.1f s: %s", time.monotonic() - self._since, found.engines)
        if found.mouth is not None:
            self._speech.give(found.mouth)
        if found.hearing is not None:
            self._hearing = found.hearing
            self._ear.give(found.hearing)
            self._overhearing.start(found.amid)
        if found.trouble:
            self._health.note(Part.SPEECH, found.trouble)
        self._link.tell(self._hello)

    def _take(self, order: Order) -> None:
        if isinstance(order, Ping):
            self._ear.ask(lambda: self._link.tell(self._losses.pong(order.n)))
        else:
            self._stage.order(order)

    def _happened(self, event: object) -> None:
        match event:
            case SpeechBegan():
                self._stage.resident_talks(talking=True)
            case SpeechEnded(utterance=utterance):
                self._stage.resident_talks(talking=False)
                self._judge(utterance, *self._stage.floor.asked())
            case Overheard(utterance=utterance):
                self._judge(utterance, event, Expecting.NOTHING)
            case Forgotten():
                self._stage.forget()
            case _:
                pass

    def _judge(self, utterance: Utterance, question: object, expecting: Expecting) -> None:
        judging = self._judging.take(utterance, expecting, question)
        self._start(self._losses.watch(utterance, judging))

    def _judged(self, utterance: Utterance, expecting: Expecting) -> Understood:
        """Judge, in the judging thread."""
        self._losses.judged(utterance)
        if self._hearing is None:
            return utterance.first
        understood = self._hearing.judge(utterance, expecting)
        if self._settings.keep_audio:
            keep(Path(self._settings.state_dir) / KEPT, utterance.pcm, expecting, understood)
        return understood

    def _told(self, understood: Understood, question: object) -> None:
        if not isinstance(question, Overheard):
            self._stage.heard(understood, question)
        elif understood.intent is Intent.HELP:
            self._stage.say_heard(Meaning.HELP, understood)

    async def _watch(self) -> None:
        """Look after all parts until the end is due."""
        looked_at, tidied_at = -LOOK_S, time.monotonic()
        while not self._ended.is_set():
            now = time.monotonic()
            await self._examine()
            if (looked_at < 0 or self._speech.trouble) and now - looked_at > LOOK_S:
                looked_at = now
                self._start(self._look())
            if now - tidied_at > TIDY_S:  # 5 to 8 ms; where a television talks it is never quiet
                tidied_at = now
                give_back()
            if self._stage.idle and not self._judging.busy and self._restart_due(now):
                log.info("begin anew by plan")
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._ended.wait()

    async def _examine(self) -> None:
        """Note what is out of order; end where PortAudio has taken a thread for good."""
        condition = self._mic.condition()
        listening(self._health, condition)
        self._health.note(Part.LOUDSPEAKER, self._speech.trouble)
        if max(condition.tried_s, self._loudspeaker.tried_s()) > HUNG_S:
            log.critical("PortAudio has not come back for %.0f s: begin anew", HUNG_S)
            await asyncio.sleep(0.1)  # the line to the hub is written by this very loop
            os._exit(HUNG_EXIT)
        if self._judging.stuck():
            log.critical("a judgement does not end: begin anew")
            await asyncio.sleep(0.1)
            os._exit(BROKEN_EXIT)

    async def _look(self) -> None:
        """Look for the loudspeaker; PortAudio sees a new one only while no stream is open."""
        await self._speech.look()
        if self._speech.trouble:
            self._mic.open_again()

    def _restart_due(self, now: float) -> bool:
        most, at = self._settings.memory_mb, self._settings.restart_at
        return restart_due(rss_mb(), most, now - self._since, self._service.local(), at)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a part of the voice broke", exc_info=error)
            self._broken = True
            self._ended.set()
