"""Cancelling a call: by the resident within ten seconds, by the centre after that."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Command, CommandKind, Evidence, FaultKind, Stage
from hub.contract.scaip import Kind, What
from hub.contract.voice import Meaning, Phrase
from hub.core.model.effects import Effect, Say, Show, Signal
from hub.core.model.events import Answered, CommandReceived, ContactChanged, Event, Ticked
from hub.core.model.state import (
    Accepted,
    Cancelled,
    Candidate,
    Caution,
    HomeState,
    Raised,
    Received,
)
from hub.core.supervision import faults
from tests.hub.core.scenes import (
    CALM,
    CORD,
    FIRST,
    GREEN,
    HELP,
    UTC,
    accepted,
    acked,
    alarm,
    called,
    calls,
    closed,
    press,
    quiet,
    read,
    received,
    story,
    tell,
)
from tests.playbook import playbook


def whats(effects: list[Effect]) -> list[What]:
    return [read(e).data.what for e in calls(effects)]


def green(at: float) -> tuple[Event, ...]:
    """A short press of the green button that is over by `at`."""
    return press(at - 0.135, GREEN)


def rehearsed(state: HomeState, at: float) -> HomeState:
    """The centre orders a test call."""
    command = Command("c1", CommandKind.TEST_CALL, 1, UTC + at + 60)
    return tell(state, CommandReceived(at, UTC + at, command))


def test_within_the_window_the_resident_takes_it_back() -> None:
    state, effects = story(called(), *green(20.0))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.alarm, event.id) == (What.CANCELLED, FIRST, "b1-2")
    assert event.data.scaip.stc == "0019"
    assert alarm(state).life == Cancelled()
    assert [o.id for o in state.owed] == [FIRST, "b1-2"]
    assert effects[-2:] == [Show(Signal.CANCELLED), Say(Phrase.CANCELLED)]


def test_the_farewell_lasts_five_seconds() -> None:
    state = tell(called(), received(), *green(15.0), acked(15.1, Stage.RECEIVED, 2, "b1-2"))
    assert (
        playbook(state, CALM)
        >> Ticked(19.99)
        << []
        >> Ticked(20.0)
        << [Show(Signal.RESTING)]
        >> Ticked(19.99)  # a fact that comes late by its own time
        << []
    )


@pytest.mark.parametrize("ack", [[], [received()]])
def test_it_does_not_matter_how_far_it_has_come_unless_somebody_took_it(ack: list[Event]) -> None:
    assert alarm(tell(called(), *ack, *green(19.0))).life == Cancelled()


def test_at_the_end_of_the_window_it_still_counts_and_after_it_only_asks() -> None:
    assert whats(story(called(), *green(20.0))[1]) == [What.CANCELLED]
    state, effects = story(called(), *green(20.1))
    assert whats(effects) == [What.CANCEL_ASKED]
    assert effects[-1] == Say(Phrase.CANCEL_ASKED)
    assert (alarm(state).life, alarm(state).cancel_asked) == (Raised(), True)


def test_after_acceptance_only_the_centre_can_end_it() -> None:
    state, effects = story(tell(called(), received(), accepted()), *green(13.0))
    assert whats(effects) == [What.CANCEL_ASKED]
    assert alarm(state).life == Accepted("Kim")
    assert state.shown is Signal.ACCEPTED


def test_asking_twice_asks_once_but_is_answered_twice() -> None:
    state = tell(called(), *green(30.0))
    state, effects = story(state, *green(31.0))
    assert not calls(effects)
    assert Say(Phrase.CANCEL_ASKED) in effects


def test_asking_again_after_another_call_asks_again() -> None:
    state = tell(called(), *green(30.0), *press(31.0))
    assert whats(story(state, *green(32.0))[1]) == [What.CANCEL_ASKED]


def test_cancelling_twice_cancels_once() -> None:
    state = tell(called(), *green(12.0))
    assert not calls(story(state, *green(13.0))[1])


def test_cancelling_nothing_says_nothing() -> None:
    assert not story(quiet(), *green(13.0))[1]


def test_a_cancelled_alarm_stays_until_the_centre_closes_it() -> None:
    state = tell(called(), *green(12.0), received(12.1, 2), acked(12.2, Stage.RECEIVED, 2, "b1-2"))
    assert (alarm(state).life, state.owed) == (Cancelled(), ())
    assert playbook(state, CALM) >> Ticked(17.0) << [Show(Signal.RESTING)] >> closed(18.0, 3) << []
    assert tell(state, closed(18.0, 3)).alarms == ()


def test_a_person_who_looks_after_a_cancelled_alarm_is_announced() -> None:
    state = tell(called(), *green(12.0), accepted(18.0))
    assert (alarm(state).life, state.shown) == (Accepted("Kim"), Signal.ACCEPTED)


def test_a_press_after_cancelling_is_a_new_alarm() -> None:
    state, effects = story(tell(called(), *green(12.0)), *press(13.0))
    assert whats(effects) == [What.RAISED]
    assert [(a.id, a.life) for a in state.alarms] == [(FIRST, Cancelled()), ("b1-3", Raised())]
    assert state.shown is Signal.RAISED


def test_a_press_after_cancelling_is_not_answered_with_the_old_news() -> None:
    state = tell(called(), *green(12.0))
    _, effects = story(state, ContactChanged(15.9, HELP, closed=True), Ticked(15.95))
    assert [e for e in effects if isinstance(e, Say)] == [Say(Phrase.RAISED)]


def test_a_held_green_button_cancels_as_well() -> None:
    hold: list[Event] = [ContactChanged(12.0, GREEN, closed=True), Ticked(15.0)]
    assert whats(story(called(), *hold)[1]) == [What.CANCELLED]


def test_a_green_button_that_was_let_go_before_the_call_does_not_take_it_back() -> None:
    late: list[Event] = [
        ContactChanged(9.0, HELP, closed=True),  # so that the home has met the red one first
        ContactChanged(9.001, HELP, closed=False),
        ContactChanged(9.9, GREEN, closed=True),
        ContactChanged(10.0, GREEN, closed=False),  # is up for good at 10.035
        ContactChanged(10.02, HELP, closed=True),  # is a press at 10.04
        Ticked(10.05),
    ]
    assert alarm(tell(quiet(), *late)).life == Raised()


def test_a_test_call_is_an_alarm_of_its_own() -> None:
    state = rehearsed(called(), 12.0)
    assert [(a.kind, a.life) for a in state.alarms] == [
        (Kind.HELP_BUTTON, Raised()),
        (Kind.TEST, Raised()),
    ]
    assert [a.device for a in state.alarms] == [HELP, "center"]


def test_a_press_never_hides_in_a_test_call() -> None:
    state, effects = story(rehearsed(quiet(), 9.0), *press(10.0))
    assert whats(effects) == [What.RAISED]
    assert len(state.alarms) == 2


def test_the_green_button_takes_back_the_residents_own_call_before_a_test() -> None:
    state = tell(rehearsed(called(), 12.0), *green(13.0))
    assert [(a.kind, a.life) for a in state.alarms] == [
        (Kind.HELP_BUTTON, Cancelled()),
        (Kind.TEST, Raised()),
    ]
    assert [a.life for a in tell(state, *green(14.0)).alarms] == [Cancelled(), Cancelled()]


def test_two_test_calls_are_two() -> None:
    state = rehearsed(quiet(), 9.0)
    command = Command("c2", CommandKind.TEST_CALL, 2, UTC + 60)
    assert len(tell(state, CommandReceived(10.0, UTC + 10, command)).alarms) == 2


def test_the_least_advanced_alarm_is_shown() -> None:
    state = tell(rehearsed(called(), 12.0), received(13.0), accepted(14.0))
    assert state.shown is Signal.RAISED
    test = state.alarms[1].id
    state = tell(state, replace(received(15.0), alarm=test, id=test))
    assert [type(a.life) for a in state.alarms] == [Accepted, Received]
    assert state.shown is Signal.RECEIVED
    assert tell(state, replace(closed(16.0), alarm=test)).shown is Signal.ACCEPTED


def test_a_palm_on_both_buttons_calls_and_takes_nothing_back() -> None:
    palm: list[Event] = [
        ContactChanged(10.000, HELP, closed=True),
        ContactChanged(10.030, GREEN, closed=True),
        ContactChanged(10.300, GREEN, closed=False),
        ContactChanged(10.310, HELP, closed=False),
    ]
    swapped = [
        replace(e, device=GREEN if e.device == HELP else HELP)
        for e in palm
        if isinstance(e, ContactChanged)
    ]
    brush = [*palm[:2], ContactChanged(10.04, HELP, closed=False), palm[2]]
    for order in (palm, swapped, brush):
        state, effects = story(quiet(), *order, Ticked(10.4))
        assert len(calls(effects)) == 1
        assert not any(isinstance(alarm.life, Cancelled) for alarm in state.alarms)


def test_green_takes_back_again_once_both_buttons_were_let_go() -> None:
    palm: list[Event] = [
        ContactChanged(10.00, GREEN, closed=True),
        ContactChanged(10.01, HELP, closed=True),
        ContactChanged(10.20, HELP, closed=False),
        ContactChanged(10.20, GREEN, closed=False),
        ContactChanged(11.00, GREEN, closed=True),
        ContactChanged(11.20, GREEN, closed=False),
    ]
    state, _ = story(quiet(), *palm, Ticked(12.0))
    assert [type(alarm.life) for alarm in state.alarms] == [Cancelled]


def test_a_stuck_cord_does_not_keep_green_from_taking_back() -> None:
    stuck = tell(quiet(), ContactChanged(10.0, CORD, closed=True), Ticked(80.0))
    state = tell(stuck, *press(100.0), *press(101.0, GREEN), Ticked(102.0))
    assert any(alarm.cancel_asked or isinstance(alarm.life, Cancelled) for alarm in state.alarms)


def test_green_right_after_red_was_let_go_takes_back() -> None:
    quick = [*press(10.0), *press(10.11, GREEN)]
    state, _ = story(quiet(), *quick, Ticked(11.0))
    assert [type(alarm.life) for alarm in state.alarms] == [Cancelled]


def test_a_green_tap_that_red_follows_at_once_takes_nothing_back() -> None:
    both = [
        ContactChanged(10.00, GREEN, closed=True),
        ContactChanged(10.10, GREEN, closed=False),
        ContactChanged(10.11, HELP, closed=True),
    ]
    state, _ = story(quiet(), *both, Ticked(10.13), Ticked(11.0))
    assert [type(alarm.life) for alarm in state.alarms] == [Raised]


def rattling(device: str) -> HomeState:
    """A home at 1,000 s in which a button closed every 5 s, for longer than people press."""
    state = tell(quiet(), *(e for n in range(198) for e in press(10.0 + 5 * n, device)))
    assert faults.stands(state, device, FaultKind.CHATTER)
    return state


def test_a_green_button_that_rattles_takes_no_call_back_and_is_no_sign_of_life() -> None:
    state = rattling(GREEN)
    lived_at = state.house.active_at
    state, effects = story(state, *press(1000.0, GREEN))
    assert (effects, state.house.active_at) == ([], lived_at)
    state = tell(state, *press(1001.0))
    state, effects = story(state, *press(1005.0, GREEN))
    assert not calls(effects)
    assert isinstance(alarm(state).life, Raised)
    assert state.house.active_at < 1005.0
    held: list[Event] = [ContactChanged(1010.0, GREEN, closed=True), Ticked(1013.0)]
    assert not calls(story(state, *held)[1])
    sent_off = replace(acked(1011.0, Stage.ACCEPTED, 2, alarm=alarm(state).id), sent=True)
    assert not calls(story(tell(state, sent_off), *held)[1]), "nor is it somebody on site"


def test_a_green_button_that_rattles_answers_for_nobody_who_is_asked() -> None:
    state = tell(rattling(GREEN), Answered(1000.0, Meaning.HELP))
    assert state.candidate
    state = tell(state, *press(1003.0, GREEN))
    assert state.candidate


def test_a_green_button_that_rattles_no_more_takes_back_again() -> None:
    state = tell(rattling(GREEN), Ticked(1300.0), Ticked(2000.0))
    state = tell(state, *press(3000.0), *press(3001.0, GREEN))
    assert alarm(state).life == Cancelled()


def test_a_cord_that_rattles_ends_no_warning_and_stands_for_no_spoken_call() -> None:
    """It ended the warning, and the automatic alarm was never raised."""
    state = rattling(CORD)
    evidence = Evidence(0.0, 86_400.0, 0.0, 86_400.0, "", (), 0)
    state = replace(state, warning=Caution(Kind.NO_LIFE, "", evidence, 1100.0, 1000.0))
    state, effects = story(state, *press(1005.0, CORD), Ticked(1100.0))
    assert Kind.NO_LIFE in [read(e).data.kind for e in calls(effects)]
    state = replace(rattling(CORD), alarms=(), candidate=Candidate(1000.0, 1015.0, about="fall"))
    state, effects = story(state, *press(1005.0, CORD), Ticked(1015.0))
    assert [(read(e).data.kind, read(e).data.about) for e in calls(effects)] == [
        (Kind.PULL_CORD, ""),
        (Kind.SPOKEN, "fall"),
    ]


def test_a_finger_ends_the_warning_and_is_surer_than_a_spoken_call() -> None:
    evidence = Evidence(0.0, 86_400.0, 0.0, 86_400.0, "", (), 0)
    warning = Caution(Kind.NO_LIFE, "", evidence, 100.0, 9.0)
    state = replace(quiet(), warning=warning, candidate=Candidate(9.0, 24.0))
    state = tell(state, *press(10.0))
    assert (state.warning, state.candidate) == (None, None)
