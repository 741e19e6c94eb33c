"""A stream is cut into utterances; in a quiet room nobody is even asked."""

from collections.abc import Iterator

import numpy as np

from voice.hearing import vad
from voice.hearing.vad import Began, Continued, Ended, Segmenter

LOUD = np.random.default_rng(1).integers(-3000, 3000, vad.PIECE).astype(np.int16).tobytes()
SILENT = bytes(2 * vad.PIECE)


def detect(piece: bytes) -> float:
    return float(piece == LOUD)


def told(segmenter: Segmenter, *pieces: tuple[bytes, int]) -> Iterator[Began | Ended]:
    for piece, count in pieces:
        for _ in range(count):
            yield from (
                turn for turn in segmenter.take_piece(piece) if not isinstance(turn, Continued)
            )


def test_an_utterance_has_what_came_before_and_ends_in_silence() -> None:
    began, ended = told(Segmenter(detect), (SILENT, 40), (LOUD, 30), (SILENT, 30))
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert ended.pcm.startswith(began.pcm)
    assert ended.pcm.count(LOUD) == 30
    before = began.pcm.index(LOUD) // len(SILENT)
    assert before * vad.PIECE_S >= 0.15
    assert not ended.cut


def test_a_pause_for_breath_does_not_end_it() -> None:
    pieces = ((LOUD, 20), (SILENT, vad.SILENCE - 3), (LOUD, 20), (SILENT, 40))
    assert [type(turn) for turn in told(Segmenter(detect), *pieces)] == [Began, Ended]


def test_speech_without_a_pause_is_cut_and_nothing_is_lost_between() -> None:
    turns = [*told(Segmenter(detect), (LOUD, vad.LONGEST + 60), (SILENT, 40))]
    assert [type(turn) for turn in turns] == [Began, Ended, Began, Ended]
    first, second = (turn for turn in turns if isinstance(turn, Ended))
    assert (first.cut, second.cut) == (True, False)
    assert second.pcm.count(LOUD) >= 60 + vad.OVERLAP - 5


def test_a_click_is_no_speech() -> None:
    assert not [*told(Segmenter(detect), (SILENT, 10), (LOUD, 2), (SILENT, 60))]


def test_what_was_buffered_is_forgotten() -> None:
    segmenter = Segmenter(detect)
    assert [*told(segmenter, (LOUD, 20))]
    segmenter.reset()
    assert not [*told(segmenter, (SILENT, 60))]


def test_what_goes_on_and_on_is_told_from_what_comes_into_silence() -> None:
    turns = told(Segmenter(detect), (SILENT, 900), (LOUD, 30), (SILENT, 40))
    assert [turn.around for turn in turns if isinstance(turn, Ended)] == [0.0]
    segmenter = Segmenter(detect)
    turns = told(segmenter, (LOUD, 5 * vad.LONGEST), (SILENT, 40))
    *_, late, last = (turn.around for turn in turns if isinstance(turn, Ended))
    assert (late, last) == (1.0, 1.0)
    segmenter.reset()
    turns = told(segmenter, (LOUD, 30), (SILENT, 40))
    assert [turn.around for turn in turns if isinstance(turn, Ended)] == [0.0]


def test_a_loud_fan_is_no_crowd() -> None:
    fan = np.random.default_rng(5).integers(-3000, 3000, vad.PIECE).astype(np.int16).tobytes()
    turns = told(Segmenter(detect), (fan, 900), (LOUD, 30), (fan, 40))
    assert [turn.around for turn in turns if isinstance(turn, Ended)] == [0.0]


def louder(piece: bytes, times: float) -> bytes:
    return (np.frombuffer(piece, np.int16) * times).astype(np.int16).tobytes()


def test_who_speaks_above_a_television_is_cut_out_of_what_it_says() -> None:
    low = louder(LOUD, 0.3)
    segmenter = Segmenter(lambda piece: float(piece != SILENT))
    turns = told(segmenter, (low, 3 * vad.LONGEST), (LOUD, 40), (low, 60), (SILENT, 40))
    ended = [turn for turn in turns if isinstance(turn, Ended)]
    (cry,) = [turn for turn in ended if turn.pcm.count(LOUD) == 40]
    assert cry.pcm.count(low) <= vad.EDGE + 25
    assert cry.around == 0.0
    assert all(turn.around > 0.9 for turn in ended[2:] if not turn.pcm.count(LOUD))
    assert len(b"".join(turn.pcm for turn in ended)) // len(low) >= 3 * vad.LONGEST + 100


def test_in_a_quiet_room_nothing_is_cut_however_loud_it_gets() -> None:
    segmenter = Segmenter(lambda piece: float(piece != SILENT))
    low = louder(LOUD, 0.1)
    turns = [*told(segmenter, (SILENT, 900), (low, 60), (LOUD, 40), (low, 60), (SILENT, 40))]
    assert [type(turn) for turn in turns] == [Began, Ended]


def test_a_quiet_or_steady_room_is_not_looked_at() -> None:
    asked: list[bytes] = []

    def nobody(piece: bytes) -> float:
        asked.append(piece)
        return 0.0

    segmenter, random = Segmenter(nobody), np.random.default_rng(2)
    for loud, first in ((5, 0), (600, 1400)):  # a still room; then a fan, for half a minute
        for number in range(first + 600):
            if number == first:
                asked.clear()
            segmenter.take_piece(
                (random.standard_normal(vad.PIECE) * loud).astype(np.int16).tobytes()
            )
        assert len(asked) < 60


def test_the_real_detector_hears_no_speech_in_noise() -> None:
    real, random = vad.detector(), np.random.default_rng(3)
    noise = [
        (random.standard_normal(vad.PIECE) * 500).astype(np.int16).tobytes() for _ in range(60)
    ]
    assert max(real(piece) for piece in noise[20:]) < vad.BEGIN
