"""The centre's acks of an alarm: in any order, twice, too late, and of unknown alarms."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Stage
from hub.contract.scaip import Kind, What
from hub.contract.voice import Phrase
from hub.contract.wire import LinkTrouble
from hub.core.decide import next_wake
from hub.core.model.effects import Forget, Resend, Say, Show, Signal
from hub.core.model.events import BrokerAcked, CenterAcked, Event, LinkDown, LinkUp, Ticked
from hub.core.model.state import Accepted, Cancelled, Present, Raised, Received
from tests.hub.core.scenes import (
    CALM,
    FIRST,
    GREEN,
    accepted,
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
    sent,
    story,
    tell,
)
from tests.playbook import playbook

UNKNOWN = acked(20.0, Stage.UNKNOWN, 0)


def test_a_puback_is_no_receipt() -> None:
    state = tell(called(), BrokerAcked(10.5, FIRST), BrokerAcked(10.6, FIRST))
    assert [o.id for o in state.owed] == [FIRST]


def test_a_late_puback_takes_nothing_back() -> None:
    assert alarm(tell(called(), received(), BrokerAcked(11.5, FIRST))).life == Received()


def test_a_puback_of_another_message_says_nothing_of_the_alarm() -> None:
    assert alarm(tell(called(), BrokerAcked(11.5, "b1-77"))).life == Raised()


def test_a_duplicate_receipt_is_harmless() -> None:
    state = tell(called(), received())
    assert tell(state, received(11.5)).alarms == state.alarms


def test_an_older_word_does_not_take_back_a_newer_one() -> None:
    state = tell(called(), accepted(11.0, 2))
    assert [o.id for o in state.owed] == [FIRST]
    state = tell(state, received(11.5, 1))
    assert (alarm(state).life, alarm(state).version, state.owed) == (Accepted("Kim"), 2, ())
    assert alarm(tell(state, closed(12.0, 1))).life == Accepted("Kim")


def test_a_forgotten_take_goes_back_to_waiting() -> None:
    state = tell(called(), received(), accepted())
    assert (
        playbook(state, CALM)
        >> acked(200.0, Stage.RECEIVED, 3)
        << [Show(Signal.RECEIVED), Say(Phrase.RECEIVED)]
    )


@pytest.mark.parametrize("stage", [Stage.RAISED, Stage.SENT, Stage.CANCELLED])
def test_a_stage_that_is_not_the_centres_to_give_changes_nothing(stage: Stage) -> None:
    state = tell(called(), received(), acked(12.0, stage, 2))
    assert (alarm(state).life, alarm(state).version) == (Received(), 2)


def test_a_word_on_an_alarm_that_is_not_here_settles_its_event_and_no_more() -> None:
    before = called()
    state, effects = story(before, CenterAcked(11.0, "b0-9", "b0-9", Stage.RECEIVED, 1))
    assert (effects[-1], state.alarms) == (Forget("b0-9"), before.alarms)
    for stage in (Stage.CLOSED, Stage.UNKNOWN):
        assert tell(before, CenterAcked(11.0, "", "b0-9", stage, 1)).alarms == before.alarms


def test_closing_twice_closes_once() -> None:
    state = tell(called(), received(), closed())
    assert (state.alarms, state.farewell is not None) == ((), True)
    assert not story(state, closed(13.5))[1]


def test_an_alarm_that_is_closed_although_no_receipt_came_is_still_told_of() -> None:
    state = tell(called(), closed())
    assert (state.alarms, [o.id for o in state.owed]) == ((), [FIRST])
    assert Resend(FIRST) in story(state, Ticked(16.0))[1]


def test_closing_does_not_hide_a_later_press_that_the_centre_has_not_heard_of() -> None:
    state = tell(called(), received(), accepted(), *press(12.5), closed(13.0))
    assert (alarm(state).life, state.shown) == (Accepted("Kim"), Signal.ACCEPTED)
    reopened = tell(state, acked(13.1, Stage.RECEIVED, 4, "b1-2"))
    assert (alarm(reopened).life, reopened.shown) == (Received(), Signal.RECEIVED)
    only_stored = tell(state, acked(13.1, Stage.RECEIVED, 2, "b1-2"), closed(13.1))
    assert (only_stored.alarms, only_stored.shown) == ((), Signal.CLOSED)


def test_a_centre_that_lost_the_alarm_hears_of_it_again_under_the_same_id() -> None:
    state, first = story(quiet(), *press(10.0))
    state, effects = story(tell(state, received(), accepted()), UNKNOWN)
    assert calls(effects) == calls(first)
    assert (alarm(state).life, alarm(state).version) == (Raised(), 0)
    assert [o.id for o in state.owed] == [FIRST]
    assert alarm(tell(state, received(21.0, 1))).life == Received()


def test_a_centre_that_does_not_know_it_yet_gets_the_bytes_once_more() -> None:
    """Even if the outbox should have lost them: a damaged page, a snapshot that survived."""
    state, first = story(quiet(), *press(10.0))
    state, effects = story(state, UNKNOWN)
    assert calls(effects) == calls(first)
    assert [o.id for o in state.owed] == [FIRST]


def test_it_hears_of_what_else_is_owed_too() -> None:
    state, effects = story(tell(called(), *press(12.0)), UNKNOWN)
    assert [e.id for e in calls(effects)] == [FIRST]
    assert Resend("b1-2") in effects
    assert sorted(o.id for o in state.owed) == [FIRST, "b1-2"]


def test_what_it_does_not_know_it_cannot_have_stored() -> None:
    unknown = acked(20.0, Stage.UNKNOWN, 0, "b1-2")
    state, effects = story(tell(called(), *press(12.0)), unknown)
    assert Forget("b1-2") not in effects
    assert sorted(o.id for o in state.owed) == [FIRST, "b1-2"]


def test_it_hears_that_a_lost_alarm_was_cancelled() -> None:
    state = tell(called(), *press(11.0, GREEN))
    state = tell(state, received(12.0), acked(12.0, Stage.RECEIVED, 2, "b1-2"))
    state, effects = story(state, UNKNOWN)
    assert [read(e).data.what for e in calls(effects)] == [What.RAISED, What.CANCELLED]
    assert alarm(state).life == Cancelled()
    state, effects = story(state, acked(30.0, Stage.UNKNOWN, 0))
    assert [read(e).data.what for e in calls(effects)] == [What.RAISED]
    assert len(state.owed) == 2


def test_a_lost_alarm_may_be_asked_to_end_again() -> None:
    state = tell(called(), *press(30.0, GREEN), received(31.0))
    state = tell(state, acked(31.0, Stage.RECEIVED, 1, "b1-2"), UNKNOWN)
    (event,) = map(read, calls(story(state, *press(40.0, GREEN))[1]))
    assert event.data.what is What.CANCEL_ASKED


def test_on_site_said_here_and_taken_at_the_centre_agree_in_the_end() -> None:
    state = tell(called(), received(), accepted(), sent())
    state = tell(state, *press(20.0, GREEN, ms=3500))
    assert alarm(state).life == Present("on site")
    assert alarm(tell(state, acked(24.0, Stage.PRESENT, 4))).life == Present("")


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.PRESENT])
def test_the_lamp_follows_a_stage_that_the_centre_gave_back(stage: Stage) -> None:
    state = tell(called(), received(), acked(12.0, stage, 2, who="Kim"))
    state = tell(state, LinkDown(13.0, LinkTrouble.CLOSED), LinkUp(400.0, "broker"))
    assert state.shown is Signal(stage)  # the state message asks, and is answered with this:
    state = tell(state, acked(400.2, Stage.RECEIVED, 3))
    assert (alarm(state).life, state.shown) == (Received(), Signal.RECEIVED)
    state = tell(reboot(state, 5.0, "b2"), acked(6.0, stage, 2, who="Kim"))
    assert (alarm(state).life, state.shown) == (Received(), Signal.RECEIVED)  # an older word


def test_a_stage_by_a_person_is_not_shown_for_ever_while_nobody_can_take_it_back() -> None:
    taken = tell(called(), received(), accepted(), LinkDown(20.0, LinkTrouble.CLOSED))
    assert (
        playbook(replace(taken, told_at=1e9), CALM)
        >> Ticked(619.9)
        << []
        >> Ticked(620.0)
        << [Show(Signal.RECEIVED), Say(Phrase.RECEIVED)]
    )
    assert next_wake(taken, CALM) == 620.0
    back = tell(taken, Ticked(620.0), LinkUp(700.0, "broker"))
    assert back.shown is Signal.ACCEPTED  # till the centre says otherwise
    assert tell(taken, Ticked(30.0), LinkUp(31.0, "broker"), Ticked(700.0)).shown is Signal.ACCEPTED


def test_the_stage_survives_a_restart() -> None:
    state = reboot(tell(called(), received(), accepted()), 99.0, "b2")
    assert (alarm(state).life, state.shown) == (Accepted("Kim"), Signal.ACCEPTED)


def test_a_later_press_that_does_not_arrive_is_not_passed_over_in_silence() -> None:
    down: list[Event] = [LinkDown(13.0, LinkTrouble.CLOSED), *press(14.0)]
    state = tell(called(), received(), accepted(), *down)
    assert state.shown is Signal.ACCEPTED
    assert tell(state, Ticked(24.01)).shown is Signal.ACCEPTED
    late = tell(state, Ticked(24.02))
    assert late.shown is Signal.UNDELIVERED
    assert tell(reboot(late, 30.0, "b2"), Ticked(30.1)).shown is Signal.UNDELIVERED
    back = tell(late, acked(25.0, Stage.RECEIVED, 2, "b1-2"))
    assert (alarm(back).life, back.shown) == (Received(), Signal.RECEIVED)


def test_a_stage_from_the_future_settles_what_is_stored_and_shows_that_it_arrived() -> None:
    newer = acked(11.0, Stage.of("ambulance_sent"), 2, FIRST)
    state = tell(called(), newer)
    assert (alarm(state).life, alarm(state).version, state.owed) == (Received(), 2, ())
    later = acked(12.0, Stage.of("ambulance_there"), 4)
    assert alarm(tell(state, accepted(11.5, 3), later)).life == Accepted("Kim")


def test_a_press_is_no_part_of_an_alarm_that_nobody_can_name() -> None:
    state = tell(called(), received())
    strange = replace(alarm(state), kind=Kind.of("gas"))
    effects = story(replace(state, alarms=(strange,)), *press(20.0))[1]
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.kind) == (What.RAISED, Kind.HELP_BUTTON)
    assert event.data.alarm != FIRST
