"""After a restart: no accepted call is forgotten, and no press is counted twice."""

import pytest

from hub.contract.messages import Stage
from hub.contract.scaip import What
from hub.contract.voice import Phrase
from hub.core.decide import recover
from hub.core.model.effects import Publish, Resend, Say, Signal
from hub.core.model.events import ContactChanged, Event, LinkUp, Ticked
from hub.core.model.state import (
    Cancelled,
    Contact,
    Down,
    HomeState,
    Lifting,
    Recalled,
    Settling,
    Touch,
    Up,
)
from tests.hub.core.scenes import (
    CORD,
    FIRST,
    GREEN,
    HELP,
    UTC,
    acked,
    alarm,
    called,
    calls,
    closed,
    press,
    quiet,
    read,
    reboot,
    received,
    started,
    story,
    tell,
)


@pytest.mark.parametrize("at", [20.0, 0.5])
def test_a_call_that_was_not_delivered_is_sent_at_the_first_link(at: float) -> None:
    state = reboot(called(), at, "b2", [FIRST])
    assert (alarm(state).id, state.shown) == (FIRST, Signal.UNDELIVERED)
    assert [o.id for o in state.owed] == [FIRST]
    assert Resend(FIRST) in story(state, LinkUp(at + 1, "broker"))[1]


def test_what_only_the_outbox_knows_is_sent_too() -> None:
    state = recover(HomeState(), started(5.0, "b2"), ["b1-1", "b1-2"])
    effects = story(state, LinkUp(6.0, "broker"))[1]
    assert [e for e in effects if isinstance(e, Resend)] == [Resend("b1-1"), Resend("b1-2")]
    assert tell(state, acked(7.0, Stage.RECEIVED, 1, "b1-1")).owed[0].id == "b1-2"


@pytest.mark.parametrize("boot", ["b1", "b2"])
def test_ids_never_repeat(boot: str) -> None:
    before, first = story(quiet(), *press(10.0))
    _, second = story(reboot(before, 20.0, boot), *press(21.0))
    assert not {e.id for e in calls(first)} & {e.id for e in calls(second)}


def test_the_window_for_taking_back_is_over() -> None:
    _, effects = story(reboot(called(), 10.1, "b2"), *press(11.0, GREEN))
    assert [read(e).data.what for e in calls(effects)] == [What.CANCEL_ASKED]


def test_a_cancelled_alarm_stays_cancelled() -> None:
    state = reboot(tell(called(), *press(11.0, GREEN)), 20.0, "b2")
    assert (alarm(state).life, state.shown) == (Cancelled(), Signal.RESTING)


def test_the_clock_is_that_of_the_new_process() -> None:
    state = reboot(called(), 5.0, "b2")
    assert (state.clock.offset_s, state.boot, state.link.up) == (UTC, "b2", False)


def test_what_the_old_clock_said_does_not_hold_up_the_new_one() -> None:
    told = tell(called(at=9000.0), received(9001.0))
    state = reboot(told, 5.0, "b2")
    assert Say(Phrase.RECEIVED) in story(state, Ticked(65.0))[1]
    again = reboot(tell(told, *press(9005.0)), 5.0, "b2")
    assert again.shown is Signal.UNDELIVERED
    ended = reboot(tell(told, closed(9002.0)), 5.0, "b2")
    assert ended.shown is Signal.RESTING


LIVES = [
    (Up(), Up()),
    (Settling(5.0), Up()),
    (Down(5.0), Recalled(Down(9.0, held=True))),
    (Down(5.0, held=True), Recalled(Down(9.0, held=True))),
    (Lifting(Down(5.0), 5.1), Recalled(Down(9.0, held=True))),
    (Recalled(Down(5.0)), Recalled(Down(9.0, held=True))),
    (Down(50.0), Up()),
    (Lifting(Down(50.0), 50.1), Up()),
    (Down(50.0, held=True, stuck=True), Recalled(Down(9.0, held=True, stuck=True))),
    (Lifting(Down(50.0, stuck=True), 60.0), Recalled(Down(9.0, held=True, stuck=True))),
]


@pytest.mark.parametrize(("life", "resumed"), LIVES)
def test_a_contact_is_taken_up_as_it_was(life: Touch, resumed: Touch) -> None:
    state = HomeState(contacts={CORD: Contact(life, edges=7)})
    contact = recover(state, started(9.0, "b2"), []).contacts[CORD]
    assert (contact.life, contact.edges, contact.chattering) == (resumed, 0, False)


def test_a_press_that_was_counted_before_a_restart_is_not_counted_after_it() -> None:
    held: list[Event] = [ContactChanged(10.0, HELP, closed=True), Ticked(10.02)]
    state = reboot(tell(quiet(), *held), 11.0, "b2")
    level: list[Event] = [ContactChanged(11.1, HELP, closed=True), Ticked(11.2)]
    state, effects = story(state, *level, ContactChanged(12.0, HELP, closed=False), Ticked(13.0))
    assert not calls(effects)
    assert calls(story(state, *press(14.0))[1])


def test_a_press_right_after_a_restart_is_no_bounce_of_one_before_it() -> None:
    state = reboot(tell(quiet(), ContactChanged(10.0, HELP, closed=True), Ticked(10.1)), 11.0, "b2")
    state = tell(state, ContactChanged(11.0, HELP, closed=False))
    again: list[Event] = [ContactChanged(11.01, HELP, closed=True), Ticked(11.1)]
    assert len(calls(story(state, *again)[1])) == 1


def test_a_stuck_cord_that_came_free_while_the_hub_was_away_is_no_fault_any_more() -> None:
    state = reboot(tell(quiet(), ContactChanged(10.0, CORD, closed=True), Ticked(80.0)), 90.0, "b2")
    assert state.faults
    assert not tell(state, ContactChanged(90.1, CORD, closed=False)).faults


def test_a_press_that_was_not_counted_yet_is_counted_after_it() -> None:
    state = reboot(tell(quiet(), ContactChanged(10.0, HELP, closed=True)), 10.01, "b2")
    assert calls(story(state, ContactChanged(10.01, HELP, closed=True), Ticked(10.1))[1])


def test_a_green_button_held_over_a_restart_cancels_nothing() -> None:
    state = tell(called(), ContactChanged(11.0, GREEN, closed=True), Ticked(11.1))
    state = reboot(state, 12.0, "b2")
    assert not calls(story(state, ContactChanged(13.0, GREEN, closed=False), Ticked(14.0))[1])


def test_a_stuck_contact_is_still_stuck_and_then_freed() -> None:
    state = tell(quiet(), ContactChanged(10.0, CORD, closed=True), Ticked(70.0))
    state = reboot(state, 5.0, "b2")
    assert list(state.faults) == ["cord:stuck"]
    state, effects = story(state, ContactChanged(5.1, CORD, closed=False), Ticked(5.2))
    assert (state.faults, len([e for e in effects if isinstance(e, Publish)])) == ({}, 1)


def test_an_alarm_of_an_earlier_boot_follows_the_centre_as_before() -> None:
    state = tell(reboot(called(), 5.0, "b2"), received(6.0))
    assert (state.shown, state.owed) == (Signal.RECEIVED, ())


def test_recovering_twice_is_recovering_once() -> None:
    once = recover(called(), started(5.0, "b2"), [FIRST])
    assert recover(once, started(5.0, "b2"), [FIRST]) == once
