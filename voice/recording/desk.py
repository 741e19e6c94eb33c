"""The real microphone, keyboard, loudspeaker and screen of a recording session."""

import os
import select
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TextIO

from voice.hearing.vad import PIECE_S
from voice.recording.session import GoneError
from voice.recording.take import ZEROS_S
from voice.settings import VoiceSettings
from voice.sound.loudspeaker import Loudspeaker
from voice.sound.microphone import Microphone
from voice.sound.pcm import SPEECH_HZ, Audio
from voice.sound.portaudio import PortAudio, Reason, SoundError

OPEN_S = 6.0  # opening a microphone takes up to 2 s, a search for a missing one as well
LOOK_S = 0.2
PIECES = 300  # 10 s, if the machine hangs so long
BAR, FLOOR_DB = 24, -72.0  # marks, of 3 dB each
ESCAPE, END = b"\x1b", b"\x04"  # an arrow, say, is several letters; Ctrl-D


class MicrophoneSource:
    """`voice.recording.session.SoundSource` from the microphone of that name; to be closed."""

    def __init__(self, sound: PortAudio, name: str) -> None:
        self._heard: Queue[bytes] = Queue(PIECES)
        self._wanted = Event()
        self._spilt = 0
        self._sound = sound
        self._microphone = Microphone(sound, name, self._take_piece, silent_s=0, rate_hz=SPEECH_HZ)
        self._microphone.start()

    def begin(self) -> None:
        """Wait until it gives sound. Raises GoneError."""
        self._wanted.set()
        if self._next(OPEN_S) is None:
            reason = self._microphone.condition().reason.partition(":")[0]
            raise GoneError(reason or Reason.LOST)

    def piece(self) -> bytes:
        """Wait for the next 32 ms of sound, 24 kHz, 16 bits. Raises GoneError."""
        while (pcm := self._next(LOOK_S)) is None:
            condition = self._microphone.condition()
            if condition.reason or condition.lost:
                raise GoneError(Reason.LOST)
        return pcm

    def end(self) -> None:
        """Discard what was not asked for."""
        self._wanted.clear()
        while not self._heard.empty():
            self._heard.get()

    def losses(self) -> int:
        """Return how often sound was lost since the microphone was opened."""
        return self._microphone.condition().overflows + self._spilt

    def hindered(self, *, zeros: bool) -> str:
        """Return the key of the message why nothing can be recorded, or "".

        With `zeros`, a microphone that gives only zeros counts as switched off.
        """
        try:
            self.begin()
            silent = zeros and not any(any(self.piece()) for _ in range(round(ZEROS_S / PIECE_S)))
        except GoneError as gone:
            return f"gone_{gone}"
        finally:
            self.end()
        return "muted" if silent else ""

    def close(self) -> None:
        """Close the microphone; if PortAudio hangs, the end of the process does it."""
        self._microphone.stop()
        if not self._microphone.condition().tried_s:
            self._sound.close()

    def _next(self, within_s: float) -> bytes | None:
        try:
            return self._heard.get(timeout=within_s)
        except Empty:
            return None

    def _take_piece(self, pcm: bytes) -> None:
        if self._wanted.is_set():
            try:
                self._heard.put_nowait(pcm)
            except Full:
                self._spilt += 1


class TerminalKeys:
    """`voice.recording.session.Keys` from a terminal that gives single keys (`single_keys`)."""

    def __init__(self, stream: TextIO) -> None:
        self._file = stream.fileno()

    def forget(self) -> None:
        """Discard what was pressed before the question."""
        with suppress(termios.error):  # the terminal was closed: `wait` tells
            termios.tcflush(self._file, termios.TCIFLUSH)

    def wait(self) -> str:
        """Wait for a key. Raises EOFError."""
        return self._read()

    def pressed(self) -> str:
        """Return a key that was pressed meanwhile, or "". Raises EOFError."""
        return self._read() if select.select([self._file], [], [], 0)[0] else ""

    def _read(self) -> str:
        try:
            got = os.read(self._file, 64)
        except OSError as error:  # the terminal was closed
            raise EOFError from error
        if not got or END in got:
            raise EOFError
        return "" if got.startswith(ESCAPE) else chr(got[0]).replace("\r", "\n")


@contextmanager
def single_keys(stream: TextIO) -> Iterator[None]:
    """Make a terminal give each key at once and show none; Ctrl-C still interrupts."""
    file = stream.fileno()
    before = termios.tcgetattr(file)
    fresh = termios.tcgetattr(file)
    fresh[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(file, termios.TCSADRAIN, fresh)
    try:
        yield
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def player(
    sound: PortAudio, settings: VoiceSettings, pressed: Callable[[], str]
) -> Callable[[Audio], str]:
    """Return a function that plays until the end or any key, and returns what prevented it."""
    speaker = Loudspeaker(sound, settings.loudspeaker)

    def play(audio: Audio) -> str:
        stop, hindered = Event(), []

        def work() -> None:
            try:
                speaker.play(audio, settings.volume_pct, stop)
            except SoundError as error:
                hindered.append(str(error))

        thread = Thread(target=work, name="listening", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(0.05)
                if pressed():
                    stop.set()
        finally:
            stop.set()
            thread.join(2)
        return "".join(hindered)

    return play


class Meter:
    """A bar on the last line of the screen: the louder, the longer."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, level_db: float | None) -> None:
        """Show how loud a piece of sound is; None hides the bar."""
        bar = "" if level_db is None else f"  ● {'█' * _marks(level_db):·<{BAR}}"
        if bar != self._shown:
            sys.stdout.write(f"\r{bar}\x1b[K")
            sys.stdout.flush()
            self._shown = bar


def _marks(level_db: float) -> int:
    return max(0, min(BAR, round((level_db - FLOOR_DB) * BAR / -FLOOR_DB)))
