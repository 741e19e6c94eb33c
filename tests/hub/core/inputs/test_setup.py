"""A hub that nobody knows yet says so and promises nothing; a registered one goes on as ever."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.provision import EXPIRED, NO_IDENTITY, Part, Way
from hub.contract.radio import How, Sensed
from hub.contract.voice import Meaning, Phrase
from hub.contract.wire import LinkTrouble
from hub.core.decide import decide, next_wake, recover
from hub.core.inputs.setup import TRY_S
from hub.core.model.effects import (
    BeginAnew,
    Effect,
    OpenHotspot,
    OpenPairing,
    Pet,
    Publish,
    Say,
    Show,
    Signal,
    Took,
)
from hub.core.model.events import (
    Answered,
    ClaimChanged,
    ClockCompared,
    ContactChanged,
    Event,
    Heartbeat,
    LinkDown,
    MotionChanged,
    NetworkChanged,
    Registered,
    SetupPartChanged,
    Ticked,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core.histories import examples
from tests.hub.core.scenes import (
    GREEN,
    HELP,
    RULES,
    UTC,
    called,
    offline,
    press,
    quiet,
    received,
    started,
    tell_by,
)

DIGITS, OTHER = "40718235", "11223344"
SWITCH = "away"
NOBODY = replace(
    RULES,
    hub="",
    setup="provision",
    buttons={**RULES.buttons, SWITCH: Button(Role.AWAY_SWITCH, "현관")},
    sensors={"hall": Sensor(Sense.MOTION, "거실"), "door": Sensor(Sense.DOOR, "현관")},
)
KNOWN = replace(RULES, setup="provision", enrolled=True)
UNCLAIMED, CODE, WAITS = Phrase.UNCLAIMED, Phrase.UNCLAIMED_DIGITS, Phrase.UNCLAIMED_WAITS


def unclaimed() -> HomeState:
    """A hub that has just started for the first time, at 0."""
    return tell_by(NOBODY, recover(HomeState(), started(), ()), started())


def done(state: HomeState, *events: Event, rules: object = NOBODY) -> list[Effect]:
    """What follows from events, without the messages to the centre."""
    effects: list[Effect] = []
    for event in events:
        state, more = decide(state, event, rules)  # type: ignore[arg-type]
        effects += [one for one in more if not isinstance(one, Publish)]
    return effects


def held(at: float, s: float, device: str = GREEN) -> tuple[Event, ...]:
    """A finger stays on a button."""
    wakes = [Ticked(at + t) for t in (0.02, 3.0, 10.0) if t < s]
    up = ContactChanged(at + s, device, closed=False)
    return (ContactChanged(at, device, closed=True), *wakes, up, Ticked(at + s + 0.035))


def test_a_hub_that_nobody_knows_says_at_once_that_it_is_not_registered() -> None:
    first = recover(HomeState(), started(), ())
    assert done(first, started()) == [Show(Signal.UNCLAIMED), Say(UNCLAIMED)]


def test_a_press_raises_nothing_and_hears_the_truth() -> None:
    state = unclaimed()
    after = tell_by(NOBODY, state, *press(10.0))
    assert done(state, *press(10.0)) == [Say(UNCLAIMED)]
    assert (after.alarms, after.owed, after.order) == ((), (), 0)
    assert done(after, *press(11.0)) == [], "not twice within seconds"


@pytest.mark.parametrize(
    ("event", "effects"),
    [
        (WirelessPressed(9.0, "pendant", "p1", How.PRESS), [Took("p1"), Say(UNCLAIMED)]),
        (Answered(9.0, Meaning.HELP), [Say(UNCLAIMED)]),
        (Answered(9.0, Meaning.FINE), []),
        (WirelessFound(9.0, "k", Sensed.SMOKE, on=True), [Say(Phrase.LEAVE_SMOKE), Say(UNCLAIMED)]),
        (WirelessFound(9.0, "k", Sensed.SMOKE, on=False), []),
        (WirelessFound(9.0, "k", Sensed.DOOR, on=True), []),
        (MotionChanged(9.0, "hall", active=True), []),
        (ContactChanged(9.0, "door", closed=True), []),
        (Heartbeat(9.0, UTC + 9.0, synced=True), [Pet()]),
        (SetupPartChanged(9.0, "provision", Part.DISK, broken=True), []),
        (ClockCompared(9.0, 31e6), []),
    ],
)
def test_whoever_calls_in_another_way_hears_it_too(event: Event, effects: list[Effect]) -> None:
    assert done(unclaimed(), event) == effects


def test_digits_are_said_twice_and_again_at_the_green_button() -> None:
    state, code = unclaimed(), Say(CODE, DIGITS)
    state = tell_by(NOBODY, state, ClaimChanged(5.0, DIGITS))
    assert done(unclaimed(), ClaimChanged(5.0, DIGITS)) == [code]
    assert next_wake(state, NOBODY) == 25.0
    assert done(state, ClaimChanged(10.0, DIGITS)) == [], "the same ones are polled for"
    assert done(state, Ticked(24.9), Ticked(25.0), Ticked(60.0)) == [code]
    state = tell_by(NOBODY, state, Ticked(25.0))
    assert next_wake(state, NOBODY) is None
    assert done(state, *press(40.0, GREEN)) == [code]


def test_new_digits_are_said_unasked_only_while_somebody_is_there() -> None:
    state = tell_by(NOBODY, unclaimed(), ClaimChanged(5.0, DIGITS), Ticked(25.0))
    assert done(state, ClaimChanged(904.0, OTHER)) == [Say(CODE, OTHER)]
    assert done(state, ClaimChanged(906.0, OTHER)) == [], "nobody has pressed anything since"
    pressed = tell_by(NOBODY, state, *press(850.0, GREEN))
    assert done(pressed, ClaimChanged(1700.0, OTHER)) == [Say(CODE, OTHER)]


def test_without_digits_the_green_button_says_what_to_look_at() -> None:
    state = tell_by(NOBODY, unclaimed(), ClaimChanged(5.0, trouble="no_network"))
    assert state.setup.trouble == "no_network"
    assert done(state, *press(40.0, GREEN)) == [Say(WAITS)]
    assert done(state, *press(40.0, SWITCH)) == []
    assert done(state, *press(40.0, "unheard of")) == []


def test_digits_that_are_gone_are_not_said_again() -> None:
    state = tell_by(NOBODY, unclaimed(), ClaimChanged(5.0, DIGITS), ClaimChanged(6.0))
    assert done(state, Ticked(30.0)) == []
    assert state.setup.digits == ""


def test_registered_it_says_so_and_begins_anew() -> None:
    effects = done(unclaimed(), Registered(60.0, "js-0001"))
    assert effects == [Say(Phrase.CLAIMED), BeginAnew()]
    assert done(unclaimed(), Registered(60.0, "")) == []


def test_a_press_at_a_hub_that_has_lost_its_name_stays_owed() -> None:
    """Nothing on its disk tells how it was called; the radio tells the press again under a name."""
    state = recover(called(), started(100.0, "b2"), ())
    state = tell_by(NOBODY, state, started(100.0, "b2"))
    pendant = WirelessPressed(109.0, "pendant", "p1", How.PRESS)
    assert done(state, pendant) == [Say(UNCLAIMED)], "without `Took`"


def test_a_call_from_before_does_not_keep_a_hub_from_its_name() -> None:
    """The identity was lost; the outbox still holds a call, which goes out under the name."""
    state = recover(called(), started(100.0, "b2"), ())
    assert done(state, started(100.0, "b2")) == [Show(Signal.UNCLAIMED), Say(UNCLAIMED)]
    after = tell_by(NOBODY, state, started(100.0, "b2"))
    assert next_wake(after, NOBODY) is None
    assert BeginAnew() in done(after, Registered(160.0, "js-0001"))
    assert len(after.alarms) == 1
    assert after.owed


def test_green_held_opens_the_hotspot_and_its_password_is_said() -> None:
    state = unclaimed()
    assert done(state, *held(10.0, 3.5)) == [OpenHotspot(RULES.hotspot_s)]
    hotspot = NetworkChanged(15.0, Way.HOTSPOT, "Anbu-07", "12345678")
    assert done(state, hotspot) == [Say(Phrase.HOTSPOT_OPEN, "12345678")]
    state = tell_by(NOBODY, state, hotspot)
    assert done(state, NetworkChanged(90.0, Way.WIFI, "home")) == [Say(Phrase.NETWORK_JOINED)]
    failed = NetworkChanged(90.0, Way.NONE, trouble="wrong_password")
    assert done(state, failed) == [Say(Phrase.NETWORK_FAILED)]
    assert done(state, NetworkChanged(90.0, Way.NONE)) == [Say(Phrase.HOTSPOT_SHUT)]
    assert done(state, replace(hotspot, at=20.0)) == []
    held_again = done(state, *held(30.0, 3.5))
    assert held_again == [OpenHotspot(RULES.hotspot_s), Say(Phrase.HOTSPOT_OPEN, "12345678")]
    mute = replace(NOBODY, setup="")
    assert done(unclaimed(), *held(10.0, 3.5), rules=mute) == []


def test_how_the_network_is_reached_is_kept() -> None:
    told = NetworkChanged(5.0, Way.WIFI, "home", signal_dbm=-61)
    state = tell_by(KNOWN, quiet(), told, ClockCompared(6.0, 1.5))
    setup = state.setup
    found = (setup.way, setup.network, setup.signal_dbm, setup.ahead_s)
    assert found == (Way.WIFI, "home", -61, 1.5)


# a registered hub


def test_a_registered_hub_says_digits_only_at_the_green_button() -> None:
    state = tell_by(KNOWN, quiet(), ClaimChanged(5.0, DIGITS))
    assert done(quiet(), ClaimChanged(5.0, DIGITS), Ticked(25.0), rules=KNOWN) == []
    assert done(state, *press(40.0, GREEN), rules=KNOWN) == [Say(CODE, DIGITS)]
    calling = tell_by(KNOWN, called(), ClaimChanged(12.0, DIGITS))
    assert Say(CODE, DIGITS) not in done(calling, *press(14.0, GREEN), rules=KNOWN)


def test_its_own_name_told_again_changes_nothing() -> None:
    assert done(quiet(), Registered(60.0, "js-0001"), Ticked(61.0), rules=KNOWN) == []


def test_under_another_name_it_begins_anew_once_no_call_is_open() -> None:
    assert done(quiet(), Registered(60.0, "js-0002"), Ticked(60.1), rules=KNOWN) == [BeginAnew()]
    calling = tell_by(KNOWN, called(), received(), Registered(12.0, "js-0002"))
    assert BeginAnew() not in done(calling, Ticked(13.0), rules=KNOWN)
    own = replace(KNOWN, enrolled=False)  # its settings name it
    assert done(quiet(), Registered(60.0, "js-0002"), Ticked(60.1), rules=own) == []


def test_a_call_that_cannot_be_told_under_the_old_name_goes_out_under_the_new_one() -> None:
    calling = tell_by(KNOWN, called(), LinkDown(11.0, LinkTrouble.UNREACHABLE))
    calling = tell_by(KNOWN, calling, Registered(12.0, "js-0002"))
    assert BeginAnew() in done(calling, Ticked(13.0), rules=KNOWN)


def lost(detail: str = NO_IDENTITY) -> HomeState:
    """A hub that knows its name, and whose key and certificate cannot be read."""
    told = SetupPartChanged(5.0, "provision", Part.IDENTITY, broken=True, detail=detail)
    return tell_by(KNOWN, offline(), told)


def test_a_lost_identity_is_said_and_a_call_is_kept_and_nobody_is_told_to_wait_for_help() -> None:
    told = SetupPartChanged(5.0, "provision", Part.IDENTITY, broken=True, detail=NO_IDENTITY)
    assert Say(UNCLAIMED) in done(offline(), told, rules=KNOWN)
    calling = tell_by(KNOWN, lost(), *press(10.0))
    assert len(calling.owed) == 1
    late = Ticked(10.1 + RULES.undelivered_s)
    assert done(calling, late, rules=KNOWN) == [Show(Signal.UNDELIVERED), Say(UNCLAIMED)]
    pendant = WirelessPressed(9.0, "nobody's", "p1", How.PRESS)
    assert Took("p1") not in done(lost(), pendant, rules=KNOWN), "it is kept for the list"


@pytest.mark.parametrize(
    ("part", "detail", "phrase"),
    [
        (Part.IDENTITY, EXPIRED, UNCLAIMED),
        (Part.IDENTITY, "timeout", Phrase.UNDELIVERED),
        (Part.BOARD, "other_board", Phrase.OTHER_BOARD),
        (Part.CLOCK, "70 s", Phrase.UNDELIVERED),
    ],
)
def test_a_call_that_is_not_delivered_hears_why(part: Part, detail: str, phrase: Phrase) -> None:
    broken = SetupPartChanged(5.0, "provision", part, broken=True, detail=detail)
    calling = tell_by(KNOWN, offline(), broken, *press(10.0))
    late = Ticked(10.1 + RULES.undelivered_s)
    assert done(calling, late, rules=KNOWN) == [Show(Signal.UNDELIVERED), Say(phrase)]


def test_a_wifi_that_is_joined_after_the_hotspot_is_said_though_there_was_none_between() -> None:
    """A real adapter has no network for some seconds; the guide promises the sentence."""
    state = tell_by(NOBODY, unclaimed(), NetworkChanged(15.0, Way.HOTSPOT, "Anbu-07", "12345678"))
    state = tell_by(NOBODY, state, NetworkChanged(60.0, Way.NONE))
    joined = NetworkChanged(75.0, Way.WIFI, "home")
    assert done(state, joined) == [Say(Phrase.NETWORK_JOINED)]
    assert done(state, replace(joined, at=60.0 + TRY_S + 1)) == [], "nobody waits for it any more"
    on_air = tell_by(NOBODY, state, joined)
    dropped = tell_by(NOBODY, on_air, NetworkChanged(80.0, Way.NONE))
    assert done(dropped, replace(joined, at=85.0)) == [], "a router that restarts is no news"


def test_during_a_call_the_joined_wifi_is_not_said() -> None:
    state = tell_by(RULES, called(), NetworkChanged(12.0, Way.HOTSPOT, "Anbu-07", "12345678"))
    state = tell_by(RULES, state, NetworkChanged(13.0, Way.NONE))
    assert Say(Phrase.NETWORK_JOINED) not in done(
        state, NetworkChanged(15.0, Way.WIFI, "home"), rules=RULES
    )


def test_without_a_link_a_long_hold_opens_the_hotspot_instead_of_a_pairing() -> None:
    lost = tell_by(KNOWN, quiet(), LinkDown(10.0, LinkTrouble.UNREACHABLE))
    assert OpenHotspot(RULES.hotspot_s) in done(lost, *held(40.0, 10.5), rules=KNOWN)
    assert done(quiet(), *held(40.0, 10.5), rules=KNOWN) == [OpenPairing(RULES.pairing_s)]
    without_radio = replace(KNOWN, radio="")
    assert OpenHotspot(600.0) in done(lost, *held(40.0, 10.5), rules=without_radio)


def cut_off() -> HomeState:
    """A registered home whose link has been down since 10."""
    return tell_by(KNOWN, quiet(), LinkDown(10.0, LinkTrouble.UNREACHABLE))


def asked(at: float = 40.0) -> HomeState:
    """Somebody has asked for the hotspot there; the last second of the hold is at `at` + 10."""
    return tell_by(KNOWN, cut_off(), *held(at, 10.5))


HOTSPOT = NetworkChanged(55.0, Way.HOTSPOT, "Anbu-07", "12345678")
SHUT = OpenHotspot(0.0)


def test_a_call_shuts_the_hotspot_at_once_and_nothing_is_said_of_it() -> None:
    state = tell_by(KNOWN, asked(), HOTSPOT)
    called_now = done(state, *press(70.0), rules=KNOWN)
    assert called_now.count(SHUT) == 1
    state = tell_by(KNOWN, state, *press(70.0))
    assert done(state, *press(75.0), rules=KNOWN).count(SHUT) == 1, "the next call, too"
    assert done(state, NetworkChanged(80.0, Way.WIFI, "home"), rules=KNOWN) == []


def test_a_call_amid_the_opening_of_the_hotspot_shuts_it() -> None:
    assert SHUT in done(asked(), *press(52.0), rules=KNOWN)
    state = tell_by(KNOWN, asked(), *press(52.0))
    assert done(state, HOTSPOT, rules=KNOWN) == [SHUT], "should it open all the same"


def test_a_hotspot_that_comes_back_after_a_failed_try_gives_way_to_a_call() -> None:
    state = tell_by(KNOWN, asked(), HOTSPOT, NetworkChanged(60.0, Way.NONE), *press(62.0))
    effects = done(state, replace(HOTSPOT, at=90.0), rules=KNOWN)
    assert SHUT in effects
    assert Say(Phrase.HOTSPOT_OPEN, "12345678") not in effects


def test_a_call_from_before_a_restart_shuts_a_hotspot_that_still_stands() -> None:
    state = recover(tell_by(KNOWN, asked(), HOTSPOT, *press(70.0)), started(100.0), ())
    assert SHUT in done(state, replace(HOTSPOT, at=101.0), rules=KNOWN)


def test_a_call_without_a_hotspot_orders_nothing_of_the_network() -> None:
    assert SHUT not in done(cut_off(), *press(52.0), rules=KNOWN)
    assert SHUT not in done(asked(), *press(51.0 + RULES.hotspot_s), rules=KNOWN)
    assert SHUT not in done(tell_by(KNOWN, quiet(), HOTSPOT), Ticked(60.0), rules=KNOWN)
    heard = tell_by(KNOWN, called(), received(), HOTSPOT)
    assert SHUT not in done(heard, Ticked(60.0), rules=KNOWN)


def test_a_call_that_no_network_brings_out_does_not_keep_the_hub_from_another() -> None:
    """The router is a new one: without the form the call would wait for ever."""
    calling = tell_by(KNOWN, cut_off(), *press(35.0))
    assert OpenHotspot(600.0) not in done(calling, *held(46.0, 10.5), rules=KNOWN)
    late = 36.0 + RULES.own_network_s
    assert OpenHotspot(600.0) in done(calling, *held(late, 10.5), rules=KNOWN)
    state = tell_by(KNOWN, calling, *held(late, 10.5))
    opened = replace(HOTSPOT, at=late + 15)
    assert done(state, opened, rules=KNOWN) == [Say(Phrase.HOTSPOT_OPEN, "12345678")]
    assert SHUT in done(tell_by(KNOWN, state, opened), *press(late + 20), rules=KNOWN)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (Part.IDENTITY, FaultKind.CERTIFICATE),
        (Part.BOARD, FaultKind.OTHER_BOARD),
        (Part.NETWORK, FaultKind.NETWORK),
        (Part.CLOCK, FaultKind.CLOCK),
        (Part.DISK, FaultKind.DISK_FULL),
        (Part.BONDS, FaultKind.UNBONDED),
        (Part.BACKUP, FaultKind.NO_BACKUP),
    ],
)
def test_what_is_out_of_order_is_a_fault_until_it_is_well(part: Part, kind: FaultKind) -> None:
    broken = SetupPartChanged(5.0, "provision", part, broken=True, detail="why")
    state = tell_by(KNOWN, quiet(), broken)
    assert state.faults[f"hub:{kind}"].detail == "why"
    seen = part is not Part.BACKUP  # the home works as ever: the centre sees to it
    assert (state.shown is Signal.FAULT) is seen
    well = replace(broken, at=9.0, broken=False)
    assert tell_by(KNOWN, state, well).faults == {}


def test_another_board_is_said_once() -> None:
    broken = SetupPartChanged(5.0, "provision", Part.BOARD, broken=True)
    again = replace(broken, at=15.0, detail="changed")
    assert done(quiet(), broken, again, rules=KNOWN) == [
        Say(Phrase.OTHER_BOARD), Show(Signal.FAULT)
    ]  # fmt: skip


EVENTS = st.one_of(
    st.builds(ContactChanged, st.just(0.0), st.sampled_from([HELP, GREEN, "x"]), st.booleans()),
    st.builds(ClaimChanged, st.just(0.0), st.sampled_from(["", DIGITS, OTHER])),
    st.builds(NetworkChanged, st.just(0.0), st.sampled_from(list(Way))),
    st.builds(Registered, st.just(0.0), st.sampled_from(["", "js-0001"])),
    st.builds(Answered, st.just(0.0), st.sampled_from(list(Meaning))),
    st.builds(LinkDown, st.just(0.0), st.sampled_from(list(LinkTrouble))),
)


@examples(100)
@given(moves=st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.05, 4.0, 1e3]), EVENTS), max_size=40))
def test_no_history_makes_an_unregistered_hub_promise_anything(
    moves: list[tuple[float, Event]],
) -> None:
    state, at, wakes = unclaimed(), 0.0, []
    for after_s, event in moves:
        at += after_s
        while (wake := next_wake(state, NOBODY)) is not None and wake <= at:
            wakes.append(wake)
            state, effects = decide(state, Ticked(wake), NOBODY)
            assert not [one for one in effects if isinstance(one, Publish)]
        state, effects = decide(state, replace(event, at=at), NOBODY)
        assert not [one for one in effects if isinstance(one, Publish)]
    assert not state.alarms
    assert state.shown is Signal.UNCLAIMED
    assert all(a <= b for a, b in pairwise(wakes))
