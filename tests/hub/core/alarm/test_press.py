"""The press detector: what a contact's level means, edge by edge."""

import pytest
from msgspec.structs import replace

from hub.core.alarm import press
from hub.core.alarm.press import Transition
from hub.core.model.rules import Rules
from hub.core.model.state import Contact, Down, Lifting, Settling, Up

RULES = Rules()
DOWN, UP, WAIT = True, False, None
Level = bool | None


def run(
    *steps: tuple[float, Level], contact: Contact | None = None
) -> tuple[Contact, list[Transition]]:
    """Feed levels, or move the clock on; return the contact and everything that it meant."""
    contact, turns = contact or Contact(), list[Transition]()
    for at, level in steps:
        contact, more = (
            press.elapse(contact, at, RULES)
            if level is WAIT
            else press.take_edge(contact, level, at, RULES)
        )
        turns += more
    return contact, turns


def test_a_press_is_accepted_once_it_has_held_20_ms() -> None:
    assert run((1.0, DOWN), (1.019, WAIT)) == (Contact(Settling(1.0), 1), [])
    assert run((1.0, DOWN), (1.02, WAIT)) == (
        Contact(Down(1.0), 1, presses=1, presses_at=0.0),
        [Transition.PRESSED],
    )


def test_a_level_of_20_ms_is_a_press_even_if_no_tick_came_in_between() -> None:
    assert run((1.0, DOWN), (1.02, UP))[1] == [Transition.PRESSED]


def test_a_level_of_19_ms_is_a_glitch() -> None:
    assert run((1.0, DOWN), (1.019, UP), (9.0, WAIT)) == (Contact(Up(), 2), [])


def test_a_bounce_at_the_beginning_only_starts_the_20_ms_again() -> None:
    bounce = ((1.0, DOWN), (1.002, UP), (1.003, DOWN), (1.015, UP), (1.017, DOWN))
    assert run(*bounce, (1.036, WAIT))[1] == []
    assert run(*bounce, (1.037, WAIT))[1] == [Transition.PRESSED]


def test_a_bounce_at_the_end_is_no_second_press() -> None:
    held = ((1.0, DOWN), (1.1, UP), (1.101, DOWN), (1.106, UP))
    contact, turns = run(*held, (1.14, WAIT))
    assert (contact.life, turns) == (Lifting(Down(1.0), 1.106), [Transition.PRESSED])
    assert run(*held, (1.142, WAIT))[1] == [Transition.PRESSED, Transition.RELEASED]


def test_two_presses_with_50_ms_between_are_two() -> None:
    steps = ((1.0, DOWN), (1.02, UP), (1.07, DOWN), (1.09, UP))
    assert run(*steps)[1] == [Transition.PRESSED, Transition.RELEASED, Transition.PRESSED]


def test_a_gap_of_30_ms_is_bounce() -> None:
    assert run((1.0, DOWN), (1.1, UP), (1.13, DOWN), (1.2, UP))[1] == [Transition.PRESSED]


def test_a_press_of_three_seconds_is_held_and_then_has_no_short_release() -> None:
    steps = ((1.0, DOWN), (3.999, WAIT))
    assert run(*steps)[1] == [Transition.PRESSED]
    assert run(*steps, (4.0, WAIT), (4.5, UP), (5.0, WAIT))[1] == [
        Transition.PRESSED,
        Transition.HELD,
    ]


def test_a_press_of_a_minute_is_stuck_until_it_is_freed() -> None:
    steps = ((1.0, DOWN), (61.0, WAIT))
    contact, turns = run(*steps)
    assert contact.life == Down(1.0, held=True, stuck=True)
    assert turns == [Transition.PRESSED, Transition.HELD, Transition.STUCK]
    assert press.next_wake(contact, RULES) is None
    assert run((99.0, UP), (100.0, WAIT), contact=contact)[1] == [Transition.FREED]


def test_a_bounce_of_a_stuck_contact_frees_nothing() -> None:
    stuck = Contact(Down(1.0, held=True, stuck=True))
    contact, turns = run((99.0, UP), (99.03, DOWN), (200.0, WAIT), contact=stuck)
    assert (contact.life, turns) == (stuck.life, [])


@pytest.mark.parametrize("level", [DOWN, UP])
def test_the_same_level_again_changes_nothing(level: bool) -> None:  # noqa: FBT001 - a level
    before, _ = run((1.0, level), (1.05, WAIT))
    assert run((1.06, level), (1.07, level), contact=before) == (before, [])


def test_an_edge_that_is_older_than_the_last_one_is_harmless() -> None:
    assert run((1.0, DOWN), (0.9, UP), (2.0, WAIT))[1] == []
    assert run((1.0, DOWN), (1.03, WAIT), (1.01, UP), (2.0, WAIT))[1] == [
        Transition.PRESSED,
        Transition.RELEASED,
    ]


def test_200_edges_in_ten_seconds_are_a_fault_and_ten_quiet_seconds_end_it() -> None:
    flicker = [(100 + n * 0.01, n % 2 == 0) for n in range(200)]
    assert run(*flicker[:199])[1] == []
    contact, turns = run(*flicker)
    assert turns == [Transition.CHATTERING]
    assert press.next_wake(contact, RULES) == 110.0
    contact, turns = run((110.0, WAIT), contact=contact)
    assert (turns, contact.chattering, contact.edges) == ([], True, 0)
    assert run((119.9, WAIT), contact=contact) == (contact, [])
    assert run((120.0, WAIT), contact=contact)[1] == [Transition.QUIET]


def test_chatter_that_goes_on_stays_one_fault() -> None:
    flicker = [(100 + n * 0.01, n % 2 == 0) for n in range(5000)]
    assert run(*flicker)[1] == [Transition.CHATTERING]


def test_a_press_is_counted_while_the_contact_chatters() -> None:
    contact = Contact(chattering=True, edges=500, window_at=99.0)
    assert run((100.0, DOWN), (100.02, WAIT), contact=contact)[1] == [Transition.PRESSED]


def test_edges_of_a_quiet_day_are_not_added_up() -> None:
    presses = [(100.0 + n * 3.5, n % 2 == 0) for n in range(20_000)]
    assert Transition.CHATTERING not in run(*presses)[1]


def test_a_contact_at_rest_has_no_deadline() -> None:
    assert press.next_wake(Contact(), RULES) is None
    assert press.next_wake(replace(Contact(), life=Settling(2.0)), RULES) == 2.02
