"""A cry during our own speech: extracted from what the microphone hears while we speak."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.voice.room import until
from voice.hearing import overhear as module
from voice.hearing.hearing import Utterance
from voice.hearing.overhear import Overheard, Overhearing
from voice.sound import echo
from voice.sound.pcm import HEARING_HZ, from_pcm, to_pcm

PIECE = 1024  # bytes
ANNOUNCED = "오늘은 폭염입니다."


def noise(seconds: float, seed: int, loud: float = 0.1) -> bytes:
    """Return noise; each seed gives noise that does not correlate with the others."""
    random = np.random.default_rng(seed)
    return to_pcm((random.standard_normal(int(seconds * HEARING_HZ)) * loud).astype(np.float32))


def loudness(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(from_pcm(pcm) ** 2)))


def is_loud(piece: bytes) -> float:
    """Stand in for Silero: here, all that is loud is speech."""
    return float(loudness(piece) > 0.02)


def pieces(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm) - PIECE + 1, PIECE):
        yield pcm[start : start + PIECE]


def added(*sounds: bytes) -> bytes:
    return to_pcm(np.asarray(sum(from_pcm(one) for one in sounds), np.float32))


class Room:
    """We speak, and somebody may cry."""

    def __init__(self) -> None:
        self.told: list[Utterance] = []
        self.overhearing = Overhearing(lambda work: work(), self._note)
        self.overhearing.say(ANNOUNCED)

    def _note(self, event: object) -> None:
        assert isinstance(event, Overheard)
        self.told.append(event.utterance)

    def hears(self, heard: bytes, own: bytes = b"") -> None:
        """Hear it, while we speak it ourselves."""
        voice = pieces(own)
        for piece in pieces(heard):
            self.overhearing.played(next(voice, b""))
            self.overhearing.take_piece(piece)


@pytest.fixture
def room() -> Room:
    made = Room()
    made.overhearing.start(is_loud)
    return made


def test_of_our_own_voice_nothing_is_told(room: Room) -> None:
    own = noise(4, 1)
    room.hears(own, own)
    room.hears(bytes(2 * HEARING_HZ))
    cry = noise(1, 2)
    room.hears(cry)
    room.overhearing.end()
    assert until(lambda: room.told)
    (told,) = room.told
    assert 1 <= told.seconds < 2.2


def test_who_cries_amid_our_words_is_told_with_those_words(room: Room) -> None:
    own, cry = noise(5, 1), bytes(4 * HEARING_HZ) + noise(1, 2) + bytes(4 * HEARING_HZ)
    room.hears(added(own, cry), own)
    room.overhearing.end()
    assert until(lambda: room.told)
    (told,) = room.told
    assert told.own_words == ANNOUNCED
    assert 1 <= told.seconds < 2.2
    assert 0.05 < loudness(told.pcm) < 0.1


def test_a_cry_is_told_before_a_long_announcement_ends(room: Room) -> None:
    own, cry = noise(8, 1), bytes(4 * HEARING_HZ) + noise(1, 2) + bytes(10 * HEARING_HZ)
    room.hears(added(own, cry), own)
    assert until(lambda: room.told)


def test_echoes_that_reach_into_the_next_stretch_are_ours_too(room: Room) -> None:
    own, late = noise(9, 1), bytes(int(0.3 * HEARING_HZ) * 2)
    room.hears(late + own + bytes(2 * HEARING_HZ) + noise(1, 2), own)
    room.overhearing.end()
    assert until(lambda: room.told)
    assert [1 <= told.seconds < 2.2 for told in room.told] == [True]


def test_what_a_driver_swallowed_is_no_longer_expected(room: Room) -> None:
    own = noise(2, 1)
    room.overhearing.played(own)
    room.overhearing.begin()
    room.hears(own)
    room.overhearing.end()
    assert until(lambda: room.told)


def test_words_of_an_earlier_time_are_forgotten(room: Room) -> None:
    room.hears(noise(1, 1))
    room.overhearing.end()
    room.hears(noise(1, 2))
    room.overhearing.end()
    assert until(lambda: len(room.told) == 2)
    assert [told.own_words for told in room.told] == [ANNOUNCED, module.CHIME]


def test_without_a_judge_nothing_is_overheard_and_nothing_piles_up() -> None:
    room = Room()
    room.hears(noise(60, 1))
    room.overhearing.end()
    room.overhearing.start(is_loud)
    room.hears(noise(1, 2))
    room.overhearing.end()
    assert until(lambda: room.told)
    assert len(room.told) == 1


def test_a_worker_that_is_late_does_not_hold_up_the_microphone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold: list[Callable[[], bool]] = [lambda: False]

    def without(heard: bytes, _own: bytes) -> bytes:
        until(hold[0], 20)
        return heard

    monkeypatch.setattr(echo, "without", without)
    room = Room()
    room.overhearing.start(is_loud)
    for _ in range(module.MOST + 3):
        room.hears(noise(6, 1))
    assert room.overhearing.lost_s >= 1.0
    hold[0] = lambda: True
    room.overhearing.end()
