"""The loudspeaker and the chime, over a real PortAudio."""

import math
from array import array
from itertools import pairwise
from threading import Event, Timer
from time import monotonic

import pytest

from tests.voice.room import Room
from voice.sound.effects import chime
from voice.sound.loudspeaker import Loudspeaker
from voice.sound.pcm import Audio
from voice.sound.portaudio import PortAudio, SoundError


def tone(seconds: float, rate_hz: int, hz: float = 400) -> Audio:
    step = 2 * math.pi * hz / rate_hz
    wave = (int(10_000 * math.sin(n * step)) for n in range(int(seconds * rate_hz)))
    return Audio(array("h", wave).tobytes(), rate_hz)


def loudest(pcm: bytes) -> int:
    return max(map(abs, array("h", pcm)), default=0)


def loud_s(pcm: bytes, limit: int = 1000) -> float:
    """Return for how many seconds it is loud. Pauses do not count: a busy machine makes some."""
    samples = array("h", pcm)
    pieces = (samples[n : n + 160].tobytes() for n in range(0, len(samples) - 160, 160))
    return sum(loudest(piece) > limit for piece in pieces) / 100


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
def test_what_is_played_arrives_at_the_loudspeaker(place: Room, rate_hz: int) -> None:
    speaker = Loudspeaker(PortAudio(), "loudspeaker")
    heard = place.listen(lambda: assert_played(speaker, tone(1, rate_hz)))
    assert loud_s(heard) == pytest.approx(1, abs=0.05)
    assert 9000 < loudest(heard) < 11_000


def assert_played(speaker: Loudspeaker, audio: Audio, volume_pct: float = 100) -> None:
    assert speaker.play(audio, volume_pct, Event())


def test_half_the_volume_is_half_as_loud(place: Room) -> None:
    speaker = Loudspeaker(PortAudio(), "loudspeaker")
    heard = place.listen(lambda: assert_played(speaker, tone(0.3, 16_000), 50))
    assert 4500 < loudest(heard) < 5500


def test_it_is_silent_at_once_when_told(place: Room) -> None:
    speaker = Loudspeaker(PortAudio(), "loudspeaker")
    stop = Event()
    ended: list[tuple[bool, float]] = []

    def play() -> None:
        Timer(1.0, stop.set).start()
        began = monotonic()
        ended.append((speaker.play(tone(10, 16_000), 100, stop), monotonic() - began))

    heard = place.listen(play)
    (finished, seconds), *_ = ended
    assert not finished
    assert seconds < 2
    assert loud_s(heard) < 2


@pytest.mark.usefixtures("place")
def test_no_such_loudspeaker_is_an_error_with_its_name() -> None:
    speaker = Loudspeaker(PortAudio(), "church organ")
    with pytest.raises(SoundError, match="church organ"):
        speaker.play(tone(0.1, 16_000), 100, Event())
    with pytest.raises(SoundError, match="church organ"):
        speaker.look()


def test_the_chime_is_short_soft_and_below_one_kilohertz() -> None:
    sound = chime()
    samples = array("h", sound.pcm)
    crossings = sum(a < 0 <= b for a, b in pairwise(samples))
    assert 0.5 < sound.seconds <= 1.0
    assert 5000 < loudest(sound.pcm) < 20_000
    assert crossings / sound.seconds < 1000
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 1000


class Notes:
    """Who notes what can be heard from us."""

    def __init__(self) -> None:
        self.sounds: list[bytes] = []

    def begin(self) -> None:
        self.sounds.append(b"")

    def played(self, pcm: bytes) -> None:
        self.sounds[-1] += pcm


@pytest.mark.usefixtures("place")
def test_what_is_played_is_noted_at_16_khz_each_sound_anew() -> None:
    notes = Notes()
    speaker = Loudspeaker(PortAudio(), "loudspeaker", notes)
    for hz in (400, 800):
        assert_played(speaker, tone(0.5, 24_000, hz), 50)
    assert [loud_s(sound) for sound in notes.sounds] == pytest.approx([0.5, 0.5], abs=0.02)
    assert [4500 < loudest(sound) < 5500 for sound in notes.sounds] == [True, True]


@pytest.mark.usefixtures("place")
def test_what_is_not_played_to_its_end_is_not_noted_to_its_end() -> None:
    notes, stop = Notes(), Event()
    stop.set()
    assert not Loudspeaker(PortAudio(), "loudspeaker", notes).play(tone(1, 16_000), 100, stop)
    assert notes.sounds == [b""]
