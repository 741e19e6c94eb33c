"""The loudspeaker: it plays a piece of sound at the device's rate, and stops at once when told."""

from threading import Event
from typing import Protocol

from voice.sound.pcm import HEARING_HZ, Audio, Resampler, from_pcm, resampled, to_pcm
from voice.sound.portaudio import Device, Patience, PortAudio, Reason, SoundError, Stream

FRAMES = 1024  # written at once
BUFFER = 2048  # frames in the device, so that it goes on while the machine is busy
TAIL = 3 * BUFFER  # of silence: PortAudio ends some drivers' streams without the last of it
LEAD_IN_S = 0.1  # of silence: amplifiers that sleep lose the beginning of what wakes them


class PlaybackListener(Protocol):
    """Is told what we play: `voice.hearing.overhear.Overhearing`."""

    def begin(self) -> None:
        """Note that another sound begins: what was played before is over."""
        ...

    def played(self, pcm: bytes) -> None:
        """Note what goes to the device now: mono, 16 bits, 16 kHz."""
        ...


class Loudspeaker:
    """Finds the loudspeaker by a part of its name, anew for each piece; the default when empty."""

    def __init__(
        self, sound: PortAudio, name: str, listener: PlaybackListener | None = None
    ) -> None:
        self._sound, self._name, self._listener = sound, name, listener
        self._patience = Patience()

    def play(self, audio: Audio, volume_pct: float, stop: Event) -> bool:
        """Play, and return at the end; False when `stop` was set. Raises SoundError."""
        with self._patience.waiting():
            stream = self._opened(audio.rate_hz)
        try:
            return self._played(stream, _fitted(audio, volume_pct, stream), stop)
        finally:
            with self._patience.waiting():
                stream.close()

    def look(self) -> Device:
        """Find the device, after a rescan where it is missing. Raises SoundError."""
        with self._patience.waiting():
            try:
                return self._sound.find(self._name, playing=True)
            except SoundError:
                self._sound.rescan()
                return self._sound.find(self._name, playing=True)

    def tried_s(self) -> float:
        """Return how long PortAudio has not come back; a healthy call takes a second or two."""
        return self._patience.tried_s()

    def _opened(self, rate_hz: int) -> Stream:
        device = self._sound.find(self._name, playing=True)
        refused = SoundError(Reason.REFUSED)
        for rate, channels in ((rate_hz, 1), (device.rate_hz, 1), (device.rate_hz, 2)):
            try:
                return self._sound.play(device, rate, BUFFER, channels)
            except SoundError as error:
                refused = error
        raise refused

    def _played(self, stream: Stream, pcm: bytes, stop: Event) -> bool:
        piece = FRAMES * 2 * stream.channels
        listener = self._listener
        if listener is not None:
            listener.begin()
        for_hearing = Resampler(stream.rate_hz, HEARING_HZ)
        for at in range(0, len(pcm), piece):
            if stop.is_set():
                return False
            if listener is not None:
                samples = from_pcm(pcm[at : at + piece], stream.channels)
                listener.played(to_pcm(for_hearing.push(samples)))
            with self._patience.waiting():
                stream.write(pcm[at : at + piece])
        with self._patience.waiting():
            stream.finish()
        return not stop.is_set()


def _fitted(audio: Audio, volume_pct: float, stream: Stream) -> bytes:
    """Return the sound at the stream's rate and volume, with silence before and after it."""
    pcm = resampled(audio.pcm, audio.rate_hz, stream.rate_hz)
    samples = from_pcm(pcm) * (volume_pct / 100)
    quiet = bytes(int(LEAD_IN_S * stream.rate_hz) * 2)
    mono = quiet + to_pcm(samples) + bytes(TAIL * 2)
    if stream.channels == 1:
        return mono
    return b"".join(mono[n : n + 2] * stream.channels for n in range(0, len(mono), 2))
