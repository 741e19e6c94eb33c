"""What the resident sees and hears: the present state, never an old one."""

import pytest

from hub.contract.radio import Part
from hub.contract.voice import Phrase
from hub.contract.wire import LinkTrouble
from hub.core.decide import next_wake, recover
from hub.core.model.effects import Order, Say, Show, Signal
from hub.core.model.events import (
    BrokerAcked,
    ContactChanged,
    DriverFailed,
    DriverReady,
    LinkDown,
    LinkUp,
    RadioPartChanged,
    Started,
    Ticked,
)
from tests.hub.core.scenes import (
    CALM,
    FIRST,
    GREEN,
    HELP,
    accepted,
    called,
    closed,
    offline,
    press,
    quiet,
    reboot,
    received,
    story,
    tell,
)
from tests.hub.core.vitals.scenes import BAND, Worn
from tests.playbook import playbook

DOWN = LinkDown(100.0, LinkTrouble.CLOSED)


def test_a_home_that_starts_shows_that_it_rests_and_says_nothing() -> None:
    assert offline().shown is Signal.RESTING


def test_offline_is_shown_after_twenty_seconds_and_never_spoken() -> None:
    assert (
        playbook(quiet(), CALM)
        >> DOWN
        << []
        >> Ticked(119.9)
        << []
        >> Ticked(120.0)
        << [Show(Signal.OFFLINE)]
        >> Ticked(4000.0)
        << []
    )
    state = tell(quiet(), DOWN, Ticked(120.0))
    assert Show(Signal.RESTING) in story(state, LinkUp(121.0, "broker"))[1]


def test_a_home_that_never_had_a_link_is_offline_too() -> None:
    assert next_wake(offline(), CALM) == 20.0
    assert tell(offline(), Ticked(20.0)).shown is Signal.OFFLINE


def test_a_fault_is_shown_while_it_lasts_and_offline_goes_before_it() -> None:
    state = tell(quiet(), DriverFailed(10.0, "lamp", ""))
    assert state.shown is Signal.FAULT
    assert tell(state, DOWN, Ticked(120.0)).shown is Signal.OFFLINE
    assert tell(state, DriverReady(11.0, "lamp")).shown is Signal.RESTING


@pytest.mark.parametrize("part", [Part.MUTE, Part.BOND])
def test_a_wearable_that_sends_nothing_is_told_and_colours_no_lamp(part: Part) -> None:
    """It may stay so for weeks, and every way to call works; nobody is to lie awake over it."""
    home = Worn()
    home.take(RadioPartChanged(home.at + 1.0, BAND, part, broken=True))
    assert [fault.device for fault in home.state.faults.values()] == [BAND], "the centre sees to it"
    assert home.shown[-1] == Signal.RESTING
    home.take(DriverFailed(home.at + 1.0, "lamp", ""))
    assert home.shown[-1] == Signal.FAULT, "it hides no other fault"


def test_an_alarm_goes_before_every_trouble() -> None:
    state = tell(quiet(), DriverFailed(10.0, "lamp", ""), DOWN, Ticked(120.0), *press(130.0))
    assert state.shown is Signal.RAISED


def test_received_is_said_again_every_minute_until_somebody_takes_it() -> None:
    assert (
        playbook(tell(called(), received(11.0)), CALM)
        >> Ticked(70.9)
        << []
        >> Ticked(71.0)
        << [Say(Phrase.RECEIVED)]
        >> Ticked(131.0)
        << [Say(Phrase.RECEIVED)]
        >> accepted(140.0)
        << [Show(Signal.ACCEPTED), Say(Phrase.ACCEPTED)]
        >> Ticked(4000.0)
        << []
    )


def test_a_broker_that_has_it_is_nobody_who_has_heard_it() -> None:
    assert tell(called(), BrokerAcked(10.1, FIRST), Ticked(20.02)).shown is Signal.UNDELIVERED


def test_undelivered_is_said_again_every_half_minute() -> None:
    assert (
        playbook(tell(called(), LinkDown(11.0, LinkTrouble.CLOSED)), CALM)
        >> Ticked(20.0)
        << []
        >> Ticked(20.02)
        << [Show(Signal.UNDELIVERED), Say(Phrase.UNDELIVERED)]
        >> Ticked(50.02)
        << [Say(Phrase.UNDELIVERED)]
        >> Ticked(80.1)
        << [Say(Phrase.UNDELIVERED)]
    )


def test_a_fact_that_comes_late_does_not_bring_back_what_was_shown_before() -> None:
    state = tell(called(), Ticked(20.02))
    assert state.shown is Signal.UNDELIVERED
    _, effects = story(state, ContactChanged(20.01, GREEN, closed=True))
    assert not [e for e in effects if isinstance(e, Order)]


def test_nobody_is_told_twice_within_three_seconds() -> None:
    _, effects = story(called(), *press(11.0), *press(12.0), *press(12.8))
    assert not [e for e in effects if isinstance(e, Say)]
    _, effects = story(called(), *press(13.0))
    assert [e for e in effects if isinstance(e, Say)] == [Say(Phrase.RAISED)]


def test_a_new_call_is_not_answered_with_how_an_older_one_ended() -> None:
    state = tell(called(), received(), closed(13.0))
    _, effects = story(state, ContactChanged(17.9, HELP, closed=True), Ticked(17.95))
    assert [e for e in effects if isinstance(e, Say)] == [Say(Phrase.RAISED)]


def test_a_button_that_means_nothing_yet_says_nothing() -> None:
    assert not story(quiet(), *press(9.0, "unknown"))[1]


def test_what_was_said_before_a_restart_is_said_again() -> None:
    state = recover(tell(called(), received()), Started(5.0, 0.0, synced=True, boot="b2"), [])
    _, effects = story(state, Ticked(5.0))
    assert effects == [Show(Signal.RECEIVED), Say(Phrase.RECEIVED)]
    assert reboot(called(), 5.0, "b2").shown is Signal.UNDELIVERED
