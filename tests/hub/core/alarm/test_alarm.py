"""The life of a call for help: from the press until a person has dealt with it."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Stage
from hub.contract.scaip import Kind, Scaip, What
from hub.contract.voice import Phrase
from hub.core.alarm.alarm import call
from hub.core.alarm.alarm import next_wake as next_call
from hub.core.decide import decide, next_wake
from hub.core.model.effects import Forget, Publish, Resend, Say, Show, Signal
from hub.core.model.events import BrokerAcked, CenterAcked, ContactChanged, Event, LinkUp, Ticked
from hub.core.model.state import Accepted, HomeState, Present, Raised, Received, Sent
from tests.hub.core.scenes import (
    CALM,
    CORD,
    FIRST,
    GREEN,
    HELP,
    RULES,
    UTC,
    accepted,
    acked,
    alarm,
    called,
    calls,
    closed,
    offline,
    press,
    quiet,
    read,
    reboot,
    received,
    sent,
    story,
    tell,
    unlinked,
)
from tests.playbook import playbook


def test_a_press_calls_once_and_waits_for_a_person() -> None:
    assert (
        playbook(quiet(), CALM)
        >> ContactChanged(10.0, HELP, closed=True)
        << []
        >> Ticked(10.02)
        << [Publish, Show(Signal.RAISED), Say(Phrase.RAISED)]
        >> ContactChanged(10.2, HELP, closed=False)
        << []
        >> BrokerAcked(10.21, FIRST)
        << []
        >> received(10.3)
        << [Forget(FIRST), Show(Signal.RECEIVED), Say(Phrase.RECEIVED)]
        >> accepted(40.0)
        << [Show(Signal.ACCEPTED), Say(Phrase.ACCEPTED)]
        >> acked(45.0, Stage.PRESENT, 3, who="Lee")
        << [Show(Signal.PRESENT), Say(Phrase.PRESENT)]
        >> closed(46.0, 4)
        << [Show(Signal.CLOSED), Say(Phrase.CLOSED)]
        >> Ticked(51.0)
        << [Show(Signal.RESTING)]
    )


def test_each_stage_is_what_somebody_said() -> None:
    state = called()
    assert alarm(state).life == Raised()
    state = tell(state, BrokerAcked(10.5, FIRST))
    assert alarm(state).life == Sent()
    assert [o.id for o in state.owed] == [FIRST]
    state = tell(state, received())
    assert (alarm(state).life, state.owed) == (Received(), ())
    state = tell(state, accepted())
    assert alarm(state).life == Accepted("Kim")
    state = tell(state, acked(12.5, Stage.PRESENT, 3, who="Lee"))
    assert alarm(state).life == Present("Lee")
    assert tell(state, closed(13.0, 4)).alarms == ()


def test_what_the_centre_reads_of_a_press() -> None:
    _, effects = story(quiet(), *press(10.0))
    (publish,) = calls(effects)
    event = read(publish)
    assert (publish.id, publish.retain) == (FIRST, False)
    assert (event.id, event.type, event.time) == (
        FIRST,
        "anbu.alarm.raised",
        "2026-03-01T00:00:10.020Z",
    )
    data = event.data
    assert (data.alarm, data.kind, data.what, data.device, data.place) == (
        FIRST,
        Kind.HELP_BUTTON,
        What.RAISED,
        HELP,
        "거실",
    )
    assert (data.boot, data.order, data.at, data.synced) == ("b1", 1, 10.02, True)
    assert data.scaip == Scaip("0004", "0010", "거실", 0, FIRST)


def test_a_cord_calls_as_a_cord() -> None:
    state = called(device=CORD)
    assert (alarm(state).kind, alarm(state).place) == (Kind.PULL_CORD, "욕실")


def test_a_call_keeps_the_time_at_which_it_was_raised() -> None:
    assert alarm(called()).raised_at == 10.02
    assert alarm(called()).raised_utc == UTC + 10.02


def test_a_press_without_any_link_is_kept_and_says_after_ten_seconds_that_it_is_not_there_yet() -> (
    None
):
    state = tell(offline(), *press(5.0))
    assert (
        playbook(state, CALM)
        >> Ticked(15.02)
        << [Show(Signal.UNDELIVERED), Say(Phrase.UNDELIVERED)]
        >> Ticked(45.0)
        << []
        >> Ticked(45.02)
        << [Say(Phrase.UNDELIVERED)]
        >> LinkUp(50.0, "broker")
        << [Resend(FIRST), Publish, Publish]  # the state, and how long it was away
        >> received(50.1)
        << [Forget(FIRST), Show(Signal.RECEIVED), Say(Phrase.RECEIVED)]
    )


def test_a_second_press_is_one_more_event_of_the_same_alarm() -> None:
    state, effects = story(called(), *press(11.0, CORD))
    (again,) = map(read, calls(effects))
    assert (again.id, again.data.alarm, again.data.what) == ("b1-2", FIRST, What.REPEATED)
    assert (again.data.kind, again.data.device, again.data.at) == (Kind.PULL_CORD, CORD, 11.02)
    assert again.data.scaip.ref == "b1-2"
    assert alarm(state).id == FIRST
    assert [o.id for o in state.owed] == [FIRST, "b1-2"]


def test_a_second_press_after_a_while_is_answered_with_how_things_stand() -> None:
    assert (
        playbook(tell(called(), received(11.0)), CALM)
        >> ContactChanged(13.9, HELP, closed=True)
        << []
        >> Ticked(13.99)
        << [Publish]
        >> ContactChanged(14.1, HELP, closed=False)
        << []
        >> ContactChanged(14.2, HELP, closed=True)
        << []
        >> Ticked(14.22)
        << [Say(Phrase.RECEIVED)]  # and told within ten seconds
    )


def test_a_press_after_closing_is_a_new_alarm() -> None:
    state, effects = story(tell(called(), received(), closed()), *press(14.0))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.alarm) == (What.RAISED, "b1-2")
    assert alarm(state).id == "b1-2"


def test_the_responder_on_site_holds_the_green_button_once_somebody_was_sent() -> None:
    state = tell(called(), received(), accepted(), sent())
    state, effects = story(state, ContactChanged(20.0, GREEN, closed=True), Ticked(23.0))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.alarm) == (What.PRESENT, FIRST)
    assert event.data.scaip.stc == "0088"
    assert alarm(state).life == Present("on site")
    assert Show(Signal.PRESENT) in effects
    assert not calls(story(state, ContactChanged(24.0, GREEN, closed=False), Ticked(25.0))[1])


def test_nobody_is_on_site_before_somebody_was_sent() -> None:
    """The resident can hold the green button, too: after a take it asks to cancel, and no more."""
    for acks in ([], [received()], [received(), accepted()]):
        hold: list[Event] = [ContactChanged(30.0, GREEN, closed=True), Ticked(33.0)]
        state, effects = story(tell(called(), *acks), *hold)
        assert not isinstance(alarm(state).life, Present)
        assert [read(e).data.what for e in calls(effects)] == [What.CANCEL_ASKED]


def test_who_was_sent_may_come_after_the_take_ran_out_and_not_after_the_centre_unsaid_it() -> None:
    hold: list[Event] = [ContactChanged(900.0, GREEN, closed=True), Ticked(903.0)]
    state = tell(called(), received(), accepted(), sent())
    late = tell(state, replace(acked(700.0, Stage.RECEIVED, 4), sent=True), *hold)
    assert alarm(late).life == Present("on site")
    unsaid = tell(state, acked(700.0, Stage.RECEIVED, 4), *hold)
    assert alarm(unsaid).life == Received()


def test_that_somebody_was_sent_survives_a_restart_and_an_older_word() -> None:
    state = tell(called(), received(), accepted(), sent())
    assert alarm(tell(state, accepted(14.0, 2))).sent
    assert alarm(reboot(state, 20.0, "b2")).sent
    assert not alarm(tell(state, acked(20.0, Stage.UNKNOWN, 0))).sent


def test_a_held_green_button_without_any_alarm_means_nothing() -> None:
    hold: list[Event] = [ContactChanged(12.0, GREEN, closed=True), Ticked(15.0)]
    assert not calls(story(quiet(), *hold)[1])


def test_only_the_alarms_for_which_somebody_was_sent_are_arrived_at() -> None:
    taken = tell(called(), received(), accepted(), sent())
    other = replace(alarm(taken), id="b1-9", life=Received(), sent=False)
    both = replace(taken, alarms=(*taken.alarms, other))
    state = tell(both, ContactChanged(20.0, GREEN, closed=True), Ticked(23.0))
    assert [type(a.life) for a in state.alarms] == [Present, Received]
    assert state.shown is Signal.RECEIVED


def waiting(state: HomeState) -> list[str]:
    return [c.device for a in state.alarms for c in a.calls if c.again_at is not None]


def test_while_nobody_has_stored_the_call_every_press_is_told_at_once() -> None:
    state = called()
    for n in range(5):
        state, effects = story(state, *press(11.0 + n))
        assert [read(e).data.what for e in calls(effects)] == [What.REPEATED]


@pytest.mark.parametrize("news", [(), (accepted(),), (acked(12.0, Stage.PRESENT, 2),)])
def test_once_the_call_is_stored_a_button_is_told_of_every_ten_seconds_and_none_is_lost(
    news: tuple[CenterAcked, ...],
) -> None:
    state = tell(called(), received(), *news)
    state, effects = story(state, *press(12.5))
    assert len(calls(effects)) == 1  # the first press is never delayed
    state, effects = story(state, *press(13.0))
    assert (calls(effects), waiting(state)) == ([], [HELP])
    before = state.alarms
    state, effects = story(state, *press(14.0))
    assert (calls(effects), state.alarms is before) == ([], True)  # nothing to commit
    assert next_wake(unlinked(state), CALM) == 22.52
    state, effects = story(state, Ticked(22.51), Ticked(22.52))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.device, event.data.at) == (What.REPEATED, HELP, 13.02)
    assert event.time == "2026-03-01T00:00:13.020Z"
    assert waiting(state) == []
    state, effects = story(state, *press(40.0))
    assert len(calls(effects)) == 1  # nor is the first one after a pause


def test_another_button_does_not_wait_for_the_one_that_was_told() -> None:
    state = tell(called(), received(), *press(12.0), *press(13.0))
    state, effects = story(state, *press(13.5, CORD))
    assert [read(e).data.device for e in calls(effects)] == [CORD]
    assert waiting(state) == [HELP]


def test_a_press_that_waits_outlives_a_restart() -> None:
    before = tell(called(), received(), *press(12.0), *press(13.0))
    state = reboot(before, 2.0, "b2")
    assert (waiting(before), waiting(state)) == ([HELP], [])
    assert [o.alarm for o in state.owed] == [FIRST, FIRST]


def test_closing_does_not_hide_a_press_that_waits_to_be_told() -> None:
    state = tell(called(), received(), accepted(), *press(12.5))
    state = tell(state, acked(12.7, Stage.RECEIVED, 2, "b1-2"), *press(13.0))
    state, effects = story(state, closed(14.0))
    assert [read(e).data.what for e in calls(effects)] == [What.REPEATED]
    assert alarm(state).id == FIRST
    assert alarm(tell(state, acked(14.2, Stage.RECEIVED, 4, "b1-3"))).life == Received()


def test_what_was_pressed_first_is_told_first() -> None:
    state = tell(called(), received(), *press(12.0), *press(13.0))
    _, effects = story(state, *press(14.0, GREEN))
    assert [read(e).data.what for e in calls(effects)] == [What.REPEATED, What.CANCELLED]
    state = tell(called(), received(), accepted(), sent(), *press(13.5), *press(14.0))
    _, effects = story(state, ContactChanged(15.0, GREEN, closed=True), Ticked(18.0))
    assert [read(e).data.what for e in calls(effects)] == [What.REPEATED, What.PRESENT]


def test_an_alarm_by_the_house_is_told_at_once_though_a_button_was_a_moment_ago() -> None:
    state = tell(called(), received(), accepted())
    _, effects = call(state, Kind.NO_LIFE, HELP, 13.0, RULES)
    assert [read(e).data.what for e in calls(effects)] == [What.REPEATED]


def test_a_word_that_says_nothing_new_is_no_work_for_the_disk() -> None:
    state = tell(called(), received(), accepted())
    assert tell(state, accepted(14.0)).alarms is state.alarms


def test_a_wobbling_cord_cannot_fill_the_disk_while_nobody_hears() -> None:
    few = replace(CALM, untold_calls=3)
    state, told = unlinked(quiet()), 0
    for n in range(6):
        for event in press(10.0 + n):
            state, effects = decide(state, event, few)
            told += len(calls(effects))
    assert told == 3
    assert len(state.owed) == 3


FEW = replace(CALM, untold_calls=3)


def few(state: HomeState, *events: Event) -> tuple[HomeState, list[tuple[What, str, float]]]:
    """Decide calls where only three may wait for the centre; return which were told, and when."""
    told = list[tuple[What, str, float]]()
    for event in events:
        state, effects = decide(state, event, FEW)
        data = [read(e).data for e in calls(effects)]
        told += [(one.what, one.device, round(one.at, 2)) for one in data]
    return state, told


def full() -> HomeState:
    """A home without a link at 16 s: the last three of six presses added nothing."""
    state, told = few(unlinked(quiet()), *(e for n in range(6) for e in press(10.0 + n)))
    assert len(told) == 3
    return state


def test_who_called_last_is_not_held_to_have_asked_to_cancel_however_much_waits_untold() -> None:
    state, asked = few(full(), *press(30.0, GREEN))
    state, again = few(state, *press(31.0), *press(32.0))
    told = [(what, device) for what, device, _ in asked + again]
    assert told == [(What.REPEATED, HELP), (What.CANCEL_ASKED, HELP), (What.REPEATED, HELP)]
    assert not alarm(state).cancel_asked


def test_another_device_is_told_of_however_much_waits_untold() -> None:
    state, told = few(full(), *press(16.0, CORD), *press(17.0, CORD))
    assert told == [(What.REPEATED, CORD, 16.02)]
    assert next_call(state, FEW) is None


def test_the_newest_call_that_could_not_be_told_is_told_once_the_centre_hears() -> None:
    state, told = few(full(), *press(16.0), *press(25.0), *press(26.0))
    assert told == []
    state, told = few(state, Ticked(1000.0))
    assert told == [], "nobody has heard of the others yet"
    acks = [acked(1001.0, Stage.RECEIVED, 1, owed.id) for owed in state.owed]
    state, told = few(state, LinkUp(1000.5, "broker"), *acks, Ticked(1002.0))
    assert told == [(What.REPEATED, HELP, 25.02)]
    assert few(state, Ticked(2000.0))[1] == []
