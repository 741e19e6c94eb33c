"""Deadlines: what `next_wake` names, a `Ticked` then serves; the engine never spins."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.decide import due_contacts, next_wake, recover
from hub.core.model.events import ContactChanged, Ticked
from hub.core.model.state import HomeState
from tests.hub.core.histories import RESTART, Move, event_of, examples, moves
from tests.hub.core.scenes import (
    GREEN,
    HELP,
    RULES,
    accepted,
    called,
    offline,
    quiet,
    received,
    started,
    tell,
)


def served(state: HomeState, at: float) -> HomeState:
    """Serve what is due at `at`, and check that the next deadline is later.

    An alarm that opens then may make one thing due at once: its state messages come more often.
    """
    state = tell(state, Ticked(at))
    if (next_wake(state, RULES) or math.inf) <= at:
        state = tell(state, Ticked(at))
    assert (next_wake(state, RULES) or math.inf) > at
    return state


def serve(state: HomeState, at: float, times: int) -> HomeState:
    """Decide the next deadlines from `at` on, each exactly in time."""
    for _ in range(times):
        wake = next_wake(state, RULES)
        if wake is None:
            return state
        at = max(at, wake)
        state = served(state, at)
    return state


@examples(150)
@given(moves())
def test_a_deadline_that_is_served_is_over(history: list[Move]) -> None:
    state, at = offline(), 0.0
    for n, move in enumerate(history):
        at += move.after_s
        if move.what == RESTART:
            event = started(at, f"r{n}")
            state = recover(state, event, [])
            serve(state, at, 3)  # the engine looks at the clock before it takes the first fact
            state = tell(state, event)
        else:
            state = tell(state, event_of(move, state, at))
        serve(state, at, 5)


@examples(60)
@given(moves(restarts=False), st.floats(0.0, 1e5))
def test_a_deadline_that_is_served_late_is_over_as_well(history: list[Move], late_s: float) -> None:
    state, at = offline(), 0.0
    for move in history:
        at += move.after_s
        state = tell(state, event_of(move, state, at))
        wake = next_wake(state, RULES)
        if wake is not None:
            served(state, max(at, wake) + late_s)


def test_a_home_that_rests_offline_sleeps() -> None:
    assert next_wake(tell(offline(), Ticked(20.0)), RULES) is None


@pytest.mark.parametrize("device", [HELP, GREEN, "unknown"])
def test_a_contact_is_waited_for(device: str) -> None:
    state = tell(quiet(), ContactChanged(5.0, device, closed=True))
    assert next_wake(state, RULES) == 5.02


@pytest.mark.parametrize(
    ("state", "wake"),
    [
        (quiet(), 31.0),  # the state message
        (called(at=2.0), 7.02),  # the resend
        (tell(called(at=2.0), received(2.5)), 11.0),  # the state message
        (tell(called(at=2.0), received(2.5), accepted(3.0)), 11.0),
        (tell(offline(), ContactChanged(3.0, HELP, closed=True), Ticked(3.02)), 6.0),  # held
    ],
)
def test_the_next_deadline(state: HomeState, wake: float) -> None:
    assert next_wake(state, RULES) == wake


def test_a_day_of_an_unanswered_call_is_a_few_thousand_wakes() -> None:
    state, wakes, enough = called(), 0, 86_400 / 10 + 86_400 / 30 + 500
    while (wake := next_wake(state, RULES) or math.inf) < 86_400 and wakes < enough:
        state, wakes = tell(state, Ticked(wake)), wakes + 1
    assert wakes < enough


def test_only_the_contacts_that_a_tick_would_change_are_due() -> None:
    state = tell(quiet(), ContactChanged(10.0, HELP, closed=True))
    assert due_contacts(state, 10.019, RULES) == set()
    assert due_contacts(state, 10.02, RULES) == {HELP}
