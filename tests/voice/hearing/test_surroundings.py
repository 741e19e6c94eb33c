"""A television is told apart from a person who speaks above it, by loudness alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voice.hearing.vad import HOLD_S, KNOWN_S, NOW_S, WINDOW_S, Surroundings

PIECE_S = 0.032
CRY = round(1.5 / PIECE_S)
WINDOW = round(WINDOW_S / PIECE_S)


def share(before: np.ndarray, utterance: np.ndarray) -> float:
    surroundings = Surroundings(PIECE_S, 250)
    for loud in (*before, *utterance):
        surroundings.add(float(loud))
    return surroundings.share(len(utterance))


def television(pieces: int, loud: float = 1000.0) -> np.ndarray:
    random = np.random.default_rng(4)
    return loud * random.uniform(0.1, 1.0, pieces)


def test_more_of_the_same_is_told_from_a_cry_above_it() -> None:
    before = television(WINDOW)
    assert share(before, television(CRY)) > 0.5
    assert share(before, television(CRY, 3200.0)) < 0.05  # 10 dB louder
    assert share(before, television(CRY, 500.0)) > 0.7


def test_a_quiet_room_is_no_crowd_and_who_cries_again_and_again_is_none_either() -> None:
    assert share(np.full(WINDOW, 20.0), television(CRY)) == 0.0
    again = np.tile([*television(CRY), *np.full(2 * CRY, 20.0)], 7)
    assert share(again, television(CRY)) < 0.25


def test_what_is_loud_and_no_speech_is_no_crowd() -> None:
    surroundings = Surroundings(PIECE_S, 250)
    for loud in television(WINDOW):
        surroundings.add(float(loud), speech=False)  # a fan, a kettle
    for loud in television(CRY):
        surroundings.add(float(loud))
    assert surroundings.share(CRY) == 0.0


def test_who_cries_without_a_pause_is_no_crowd_at_first() -> None:
    """After silence, speech in the first 15 s is judged as before."""
    quiet = np.full(WINDOW, 20.0)
    for so_far_s in (6.5, 13.0):
        cry = television(round(so_far_s / PIECE_S))
        assert share(np.array([*quiet, *cry]), television(CRY)) < 0.3


def test_nothing_is_said_of_what_was_not_heard() -> None:
    short = round(KNOWN_S / PIECE_S) - 1
    assert share(television(short), television(CRY)) == 0.0
    assert share(television(short + 1), television(CRY)) > 0.5


def test_it_looks_back_half_a_minute_from_the_beginning_of_the_utterance_and_no_further() -> None:
    before = [*television(WINDOW), *np.full(WINDOW, 20.0)]
    assert share(np.array(before), television(250)) == 0.0
    assert share(np.array(before[1:]), television(CRY)) == 0.0


def above(*louds: np.ndarray) -> list[list[bool]]:
    surroundings, told = Surroundings(PIECE_S, 250), list[list[bool]]()
    for some in louds:
        told.append([])
        for loud in some:
            surroundings.add(float(loud))
            told[-1].append(surroundings.above())
    return told


def test_who_speaks_above_a_television_is_heard_to_begin_and_to_end() -> None:
    before, cry, after = above(television(WINDOW), television(CRY, 3200.0), television(CRY))
    assert sum(before) == 0
    assert cry.index(True) <= 2 * round(NOW_S / PIECE_S)
    assert all(cry[cry.index(True) :])
    assert after.index(False) <= round((HOLD_S + NOW_S) / PIECE_S) + 1
    assert not any(after[after.index(False) :])


def test_a_breath_does_not_end_it() -> None:
    breath = television(round(0.3 / PIECE_S))
    told = above(television(WINDOW), television(CRY, 3200.0), breath, television(9, 3200.0))
    assert all((*told[2], *told[3]))


def test_nobody_speaks_above_what_was_quiet_or_was_not_heard() -> None:
    now_and_then = np.tile([*np.full(2 * CRY, 20.0), *television(CRY)], 7)
    assert not any(above(now_and_then, television(CRY, 3200.0))[-1])
    short = round(KNOWN_S / PIECE_S) - CRY
    assert not any(above(television(short), television(CRY, 3200.0))[-1])


def test_a_fan_that_was_switched_on_is_not_above_for_ever() -> None:
    surroundings = Surroundings(PIECE_S, 250)
    for loud in (*television(WINDOW), *np.full(CRY, 2000.0)):
        surroundings.add(float(loud))
        surroundings.above()
    for _ in range(WINDOW):
        surroundings.add(2000.0)
    assert surroundings.above()
    assert not surroundings.above(anew=True)


@given(st.lists(st.floats(0.0, 30000.0), max_size=1500), st.integers(1, 250))
def test_it_is_a_share(louds: list[float], pieces: int) -> None:
    surroundings = Surroundings(PIECE_S, 250)
    for loud in (*louds, *[1.0] * pieces):
        surroundings.add(loud)
    assert 0.0 <= surroundings.share(pieces) <= 1.0
    surroundings.reset()
    surroundings.add(1.0)
    assert surroundings.share(1) == 0.0
