"""The module that uses PortAudio: what an overflow does to a stream."""

import pytest

from voice.sound import portaudio
from voice.sound.pcm import HEARING_HZ
from voice.sound.portaudio import PortAudio, SoundError, Stream

FRAMES = 512


class Raw:
    """A stream as PyAudio's: one whose overflow it was asked to tell of is closed by that."""

    def __init__(self, latency_s: float = 0.1) -> None:
        self.overflowed = self.closed = False
        self.latency_s = latency_s

    def read(self, frames: int, tell: bool) -> bytes:  # noqa: FBT001
        if self.closed:
            raise OSError(-9988, "Stream closed")
        if self.overflowed and tell:
            self.closed = True
            raise OSError(-9981, "Input overflowed")
        self.overflowed = False
        return bytes(2 * frames)

    def get_input_latency(self) -> float:
        return self.latency_s

    def write(self, frames: bytes) -> None: ...
    def stop_stream(self) -> None: ...
    def close(self) -> None: ...


def test_a_microphone_goes_on_after_an_overflow_which_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, raw = [7.0], Raw()
    monkeypatch.setattr(portaudio, "monotonic", lambda: now[0])
    stream = Stream(raw, PortAudio(), HEARING_HZ, 1)
    assert stream.read(FRAMES)
    now[0] += 0.15
    assert stream.read(FRAMES), "late, but the device's buffer may have held it"
    now[0] += 0.25
    raw.overflowed = True
    assert stream.read(FRAMES) is None
    assert stream.read(FRAMES)


def test_a_driver_that_holds_nothing_by_its_own_word_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else every piece would count as lost, and nobody would be heard."""
    now = [7.0]
    monkeypatch.setattr(portaudio, "monotonic", lambda: now[0])
    stream = Stream(Raw(latency_s=0.0), PortAudio(), HEARING_HZ, 1)
    for _ in range(5):
        assert stream.read(FRAMES)
        now[0] += 0.005


def test_a_microphone_that_is_gone_is_lost() -> None:
    raw = Raw()
    raw.closed = True
    with pytest.raises(SoundError, match="Stream closed"):
        Stream(raw, PortAudio(), HEARING_HZ, 1).read(FRAMES)
