"""The microphone: mono sound in pieces of 32 ms, read by a thread of its own.

    missing -> open -> (lost, hung) -> missing ...

A read that fails means that the device is lost. PortAudio may also never return (`tried_s`): then
only the end of the process helps, which `voice.app` decides. A microphone that is switched off
gives zeros.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from voice.sound.pcm import HEARING_HZ, Resampler, from_pcm, to_pcm
from voice.sound.portaudio import Patience, PortAudio, Reason, SoundError, Stream

log = logging.getLogger(__name__)
SAMPLES = 512  # in a piece at 16 kHz: 32 ms, what Silero judges at once
LOST_S = 5.0  # without any sound
AGAIN_S = 2.0  # between two attempts to open a microphone that is missing


class Condition(Struct, frozen=True):
    """The state of the microphone; `tried_s` is how long PortAudio has not come back."""

    lost: bool
    reason: str
    muted: bool
    tried_s: float
    overflows: int


class Microphone:
    """Finds the microphone by a part of its name; `take_piece` gets each piece, in its thread.

    `rate_hz` is the rate of the pieces, whatever the device's own rate is.
    """

    def __init__(
        self, sound: PortAudio, name: str, take_piece: Callable[[bytes], None],
        *, silent_s: float = 30.0, rate_hz: int = HEARING_HZ,
    ) -> None:  # fmt: skip
        self._sound, self._name, self._take_piece = sound, name, take_piece
        self._silent_s, self._rate_hz = silent_s, rate_hz
        self._patience = Patience()
        self._end, self._again = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)
        self._heard_at = self._noise_at = time.monotonic()
        self._reason = ""
        self._overflows = 0

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, within_s: float = 2.0) -> None:
        """End; a thread that hangs in PortAudio is left behind."""
        self._end.set()
        self._thread.join(within_s)

    def open_again(self) -> None:
        """Close the device, have PortAudio list all devices anew, and go on."""
        self._again.set()

    def condition(self) -> Condition:
        """Return the present state; from any thread."""
        now = time.monotonic()
        lost = now - self._heard_at > LOST_S
        muted = not lost and 0 < self._silent_s < now - self._noise_at
        tried_s = self._patience.tried_s()
        return Condition(lost, self._reason, muted, tried_s, self._overflows)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                with self._patience.waiting():
                    stream = self._opened()
            except SoundError as error:
                self._missed(error)
                self._end.wait(AGAIN_S)
                continue
            lost = self._listened(stream)
            with self._patience.waiting():
                stream.close()
            if lost is not None:
                self._missed(lost)
            elif self._again.is_set():
                self._look_anew()

    def _missed(self, error: SoundError) -> None:
        if str(error) != self._reason:
            log.warning("no microphone: %s", error)
        self._reason = str(error)
        self._look_anew()

    def _look_anew(self) -> None:
        self._again.clear()
        with suppress(SoundError), self._patience.waiting():  # our own loudspeaker may be busy
            self._sound.rescan()

    def _opened(self) -> Stream:
        device = self._sound.find(self._name, playing=False)
        tries = ((self._rate_hz, 1), (device.rate_hz, 1), (device.rate_hz, 2))
        refused = SoundError(Reason.REFUSED)
        for rate_hz, channels in tries:
            try:
                frames = SAMPLES * rate_hz // HEARING_HZ
                return self._sound.record(device, rate_hz, frames, channels)
            except SoundError as error:
                refused = error
        raise refused

    def _listened(self, stream: Stream) -> SoundError | None:
        try:
            self._listen(stream)
        except SoundError as error:
            return error
        return None

    def _listen(self, stream: Stream) -> None:
        """Read until it fails, or until `stop` or `open_again` was called."""
        frames = SAMPLES * stream.rate_hz // HEARING_HZ
        wanted, piece = self._rate_hz, 2 * SAMPLES * self._rate_hz // HEARING_HZ
        resampler = None if stream.rate_hz == wanted else Resampler(stream.rate_hz, wanted)
        kept = b""
        self._noise_at = time.monotonic()
        while not (self._end.is_set() or self._again.is_set()):
            with self._patience.waiting():
                pcm = stream.read(frames)
            if pcm is None:
                self._overflows += 1
                continue
            self._note(pcm)
            kept += _mono(pcm, stream.channels, resampler)
            while len(kept) >= piece:
                self._take_piece(kept[:piece])
                kept = kept[piece:]

    def _note(self, pcm: bytes) -> None:
        if self._reason:
            log.info("microphone: back")
        self._heard_at, self._reason = time.monotonic(), ""
        if any(pcm):
            self._noise_at = self._heard_at


def _mono(pcm: bytes, channels: int, resampler: Resampler | None) -> bytes:
    if resampler is None and channels == 1:
        return pcm
    samples = from_pcm(pcm, channels)
    return to_pcm(samples if resampler is None else resampler.push(samples))
