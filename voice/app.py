"""The voice process, put together: sound comes in, speech goes out, the hub decides.

    microphone -> capture -> hearing (vad, spotter) -> queue -> hearing (Whisper, understanding)
        -> stage -> link -> the hub -> link -> stage -> speech -> loudspeaker

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
from functools import partial
from pathlib import Path

from hub.contract.voice import Hello, Order, Part, Ping
from hub.shared.system import give_back, rss_mb
from voice.dialogue.stage import Stage
from voice.hearing import recordings
from voice.hearing.capture import Capture, Forgotten
from voice.hearing.hearing import SpeechBegan, SpeechEnded
from voice.hearing.overhear import Overheard, Overhearing
from voice.hearing.queue import JudgementQueue
from voice.link import link_to
from voice.loading import Loaded, load, plans_of, richer
from voice.settings import VoiceSettings
from voice.sound.loudspeaker import Loudspeaker
from voice.sound.microphone import Microphone
from voice.sound.portaudio import PortAudio
from voice.speaking.preferences import VoiceRequests
from voice.speaking.speech import Speech
from voice.status import HUNG_S, Losses, PartStatus, restart_due
from voice.understanding.intents import Expecting

log = logging.getLogger(__name__)
BROKEN_EXIT, HUNG_EXIT = 70, 75  # EX_SOFTWARE, EX_TEMPFAIL: start me again
LOOK_S, WATCH_S, TIDY_S = 20.0, 1.0, 60.0


class App:
    """One run of the process."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._loop, self._since = asyncio.get_running_loop(), time.monotonic()
        self._requests = VoiceRequests(settings)
        sound = PortAudio()
        self._overhearing = Overhearing(self._post, self._happened)
        self._capture = Capture(self._post, self._happened, self._overhearing)
        self._microphone = Microphone(
            sound, settings.microphone, self._capture.take_piece, silent_s=settings.silent_s
        )
        self._loudspeaker = Loudspeaker(sound, settings.loudspeaker, self._overhearing)
        self._speech = Speech(self._loudspeaker, self._capture, self._requests.manner)
        self._link = link_to(
            settings.socket, self._take_order, lambda: [self._hello, *self._status.facts()]
        )
        self._status = PartStatus(self._link.tell)
        plans, wrong = plans_of(settings)
        self._status.note(Part.SPEECH, wrong)
        self._stage = Stage(self._speech, plans, self._link.tell, self._requests.answer)
        kept = Path(settings.state_dir) / recordings.FOLDER
        self._judgements = JudgementQueue(kept if settings.keep_audio else None)
        self._jobs: set[asyncio.Task[None]] = set()
        self._hello = Hello(spoken_sos=settings.spoken_sos, tells_words=settings.tell_words)
        self._losses = Losses(self._capture, self._overhearing, self._judgements)
        self._ended, self._broken = asyncio.Event(), False

    async def run(self) -> int:
        """Serve until a signal, or until a restart is due; return the exit code.

        Raises what broke.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ended.set)
        self._capture.start()
        self._microphone.start()
        loading = asyncio.to_thread(
            load, self._settings, lambda found: self._post(lambda: self._use_loaded(found))
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

    def _use_loaded(self, found: Loaded) -> None:
        """Put to use what the loader has made."""
        self._hello = richer(self._hello, found)
        log.info("ready after %.1f s: %s", time.monotonic() - self._since, found.engines)
        if found.mouth is not None:
            self._speech.use_mouth(found.mouth)
        if found.hearing is not None:
            self._judgements.use_judge(found.hearing)
            self._capture.use_listener(found.hearing)
            self._overhearing.start(found.detect_overheard)
        if found.trouble:
            self._status.note(Part.SPEECH, found.trouble)
        self._link.tell(self._hello)

    def _take_order(self, order: Order) -> None:
        if isinstance(order, Ping):
            self._capture.ask(lambda: self._link.tell(self._losses.pong(order.n)))
        else:
            self._stage.order(order)

    def _happened(self, event: object) -> None:
        """Lead what was heard to the stage, speech by way of the queue for its judgement."""
        match event:
            case SpeechBegan():
                self._stage.resident_talks(talking=True)
            case SpeechEnded(utterance=utterance):
                self._stage.resident_talks(talking=False)
                question, expecting = self._stage.floor.asked()
                tell = partial(self._stage.heard, question=question)
                self._start(self._judgements.put(utterance, expecting, tell))
            case Overheard(utterance=utterance):
                unasked, tell_overheard = Expecting.NOTHING, self._stage.overheard
                self._start(self._judgements.put(utterance, unasked, tell_overheard))
            case Forgotten():
                self._stage.forget()
            case _:
                pass

    async def _watch(self) -> None:
        """Watch all parts until the end is due."""
        looked_at, tidied_at = -LOOK_S, time.monotonic()
        while not self._ended.is_set():
            now = time.monotonic()
            await self._examine()
            if (looked_at < 0 or self._speech.trouble) and now - looked_at > LOOK_S:
                looked_at = now
                self._start(self._look_for_loudspeaker())
            if (
                now - tidied_at > TIDY_S
            ):  # takes 5 to 8 ms; beside a television no quiet moment comes
                tidied_at = now
                give_back()
            if self._stage.idle and not self._judgements.busy and self._restart_due(now):
                log.info("restart by plan")
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._ended.wait()

    async def _examine(self) -> None:
        """Note what fails; end the process where PortAudio or a judgement never returns."""
        condition = self._microphone.condition()
        self._status.note_microphone(condition)
        self._status.note(Part.LOUDSPEAKER, self._speech.trouble)
        if max(condition.tried_s, self._loudspeaker.tried_s()) > HUNG_S:
            log.critical("PortAudio has not come back for %.0f s: restart", HUNG_S)
            await asyncio.sleep(0.1)  # this loop writes the facts to the hub
            os._exit(HUNG_EXIT)
        if self._judgements.stuck():
            log.critical("a judgement does not end: restart")
            await asyncio.sleep(0.1)
            os._exit(BROKEN_EXIT)

    async def _look_for_loudspeaker(self) -> None:
        """Look for the loudspeaker; PortAudio lists devices anew only while no stream is open."""
        await self._speech.look()
        if self._speech.trouble:
            self._microphone.open_again()

    def _restart_due(self, now: float) -> bool:
        most, at = self._settings.memory_mb, self._settings.restart_at
        return restart_due(rss_mb(), most, now - self._since, self._requests.local(), at)

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
