"""The life of a call for help, from the finger to a person and back."""

from msgspec.structs import replace

from hub.core import home
from hub.core.effects import Forget, Phrase, Publish, Resend, Say, Show, Signal
from hub.core.events import BrokerAcked, ContactChanged, Event, LinkUp, Ticked
from hub.core.payloads import Stage
from hub.core.scaip import Kind, Scaip, What
from hub.core.state import Accepted, Present, Raised, Received, Sent
from tests.core.scenes import (
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
    offline,
    press,
    quiet,
    read,
    received,
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
        << [Publish, Say(Phrase.RECEIVED)]
    )


def test_a_press_after_closing_is_a_new_alarm() -> None:
    state, effects = story(tell(called(), received(), closed()), *press(14.0))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.alarm) == (What.RAISED, "b1-2")
    assert alarm(state).id == "b1-2"


def test_the_responder_on_site_holds_the_green_button_once_somebody_was_sent() -> None:
    state = tell(called(), received(), accepted())
    state, effects = story(state, ContactChanged(20.0, GREEN, closed=True), Ticked(23.0))
    (event,) = map(read, calls(effects))
    assert (event.data.what, event.data.alarm) == (What.PRESENT, FIRST)
    assert event.data.scaip.stc == "0088"
    assert alarm(state).life == Present("on site")
    assert Show(Signal.PRESENT) in effects
    assert not calls(story(state, ContactChanged(24.0, GREEN, closed=False), Ticked(25.0))[1])


def test_nobody_is_on_site_before_somebody_was_sent() -> None:
    for ack in ([], [received()]):
        state = tell(called(), *ack, ContactChanged(12.0, GREEN, closed=True), Ticked(15.0))
        assert not isinstance(alarm(state).life, Present)


def test_a_held_green_button_without_any_alarm_means_nothing() -> None:
    hold: list[Event] = [ContactChanged(12.0, GREEN, closed=True), Ticked(15.0)]
    assert not calls(story(quiet(), *hold)[1])


def test_only_the_alarms_that_somebody_took_are_arrived_at() -> None:
    taken = tell(called(), received(), accepted())
    other = replace(alarm(taken), id="b1-9", life=Received())
    both = replace(taken, alarms=(*taken.alarms, other))
    state = tell(both, ContactChanged(20.0, GREEN, closed=True), Ticked(23.0))
    assert [type(a.life) for a in state.alarms] == [Present, Received]
    assert state.shown is Signal.RECEIVED


def test_a_wobbling_cord_cannot_fill_the_disk_while_nobody_hears() -> None:
    few = replace(CALM, untold_calls=3)
    state, told = unlinked(quiet()), 0
    for n in range(6):
        for event in press(10.0 + n):
            state, effects = home.decide(state, event, few)
            told += len(calls(effects))
    assert told == 3
    assert len(state.owed) == 3
