"""Any press of 20 ms or more, with gaps of 50 ms or more, is counted exactly once."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hub.core.alarm import press
from hub.core.alarm.press import Transition
from hub.core.model.rules import Rules
from hub.core.model.state import Contact
from tests.hub.core.histories import examples

RULES = Rules()
BOUNCE_S = 0.012  # how long a contact may bounce after each move: shorter than it has to hold


class Finger(Struct, frozen=True):
    """One press: the gap before it, how long the level then holds, and the noise of the contact."""

    gap_s: float
    hold_s: float
    noise_down: tuple[float, ...]  # parts of BOUNCE_S at which the level flips
    noise_up: tuple[float, ...]


noise = st.lists(st.floats(0.0, 1.0, exclude_max=True), max_size=6).map(lambda x: tuple(sorted(x)))
longer = st.one_of(st.floats(0.0, 0.08), st.floats(0.0, 90.0))
fingers = st.lists(
    st.builds(Finger, longer.map(lambda s: 0.05 + s), longer.map(lambda s: 0.02 + s), noise, noise),
    max_size=8,
)


def bounce(at: float, flips: tuple[float, ...], *, closed: bool) -> list[tuple[float, bool]]:
    """Return edges from `at` on that end in `closed`, within BOUNCE_S."""
    times = [at, *(at + f * BOUNCE_S for f in flips)]
    odd = len(times) % 2 == 1
    return [(t, closed if (n % 2 == 0) == odd else not closed) for n, t in enumerate(times)]


def edges(presses: list[Finger]) -> list[tuple[float, bool]]:
    """Return all edges of a series of presses, which begins at 100 s."""
    found, at = list[tuple[float, bool]](), 100.0
    for one in presses:
        at += one.gap_s
        down = bounce(at, one.noise_down, closed=True)
        at = down[-1][0] + one.hold_s
        up = bounce(at, one.noise_up, closed=False)
        found += down + up
        at = up[0][0]
    return found


def turns_of(levels: list[tuple[float, bool]], ticks: list[float]) -> list[Transition]:
    """Run edges with ticks in between, and time for all to settle."""
    moments = [(at, closed) for at, closed in levels] + [(at, None) for at in ticks]
    contact, turns = Contact(), list[Transition]()
    for at, closed in sorted(moments, key=lambda moment: moment[0]):
        contact, more = (
            press.elapse(contact, at, RULES)
            if closed is None
            else press.take_edge(contact, closed, at, RULES)
        )
        turns += more
    return turns + press.elapse(contact, 1e6, RULES)[1]


@examples(150)
@given(fingers, st.lists(st.floats(100.0, 110.0), max_size=20))
def test_each_press_counts_once_whenever_the_ticks_come(
    presses: list[Finger], ticks: list[float]
) -> None:
    assert turns_of(edges(presses), ticks).count(Transition.PRESSED) == len(presses)


@examples(60)
@given(fingers, st.lists(st.floats(100.0, 110.0), max_size=20))
def test_ticks_change_nothing_of_what_was_meant(presses: list[Finger], ticks: list[float]) -> None:
    assert turns_of(edges(presses), ticks) == turns_of(edges(presses), [])


@examples(60)
@given(fingers, st.lists(st.floats(0.0, 0.1), max_size=20))
def test_a_poll_that_repeats_the_level_changes_nothing(
    presses: list[Finger], lags: list[float]
) -> None:
    levels = edges(presses)
    polls = [(at + lag, level) for (at, level), lag in zip(levels, lags, strict=False)]
    honest = [
        (at, level)
        for at, level in polls
        if level == next((was for when, was in reversed(levels) if when <= at), False)
    ]
    assert turns_of(levels + honest, []) == turns_of(levels, [])


@examples(60)
@given(st.lists(st.tuples(st.floats(0.0001, 0.0199), st.floats(0.0001, 5.0)), max_size=30))
def test_glitches_below_20_ms_never_count(glitches: list[tuple[float, float]]) -> None:
    levels, at = list[tuple[float, bool]](), 100.0
    for length, gap in glitches:
        levels += [(at, True), (at + length, False)]
        at += length + gap
    assert Transition.PRESSED not in turns_of(levels, [])


@examples(60)
@given(fingers)
def test_each_deadline_that_is_named_is_then_served(presses: list[Finger]) -> None:
    levels = edges(presses)
    contact = Contact()
    for (at, closed), (following, _) in pairwise([*levels, (math.inf, False)]):
        contact, _ = press.take_edge(contact, closed, at, RULES)
        while (wake := press.next_wake(contact, RULES)) is not None and wake < following:
            contact, _ = press.elapse(contact, wake, RULES)
            later = press.next_wake(contact, RULES)
            assert later is None or later > wake
