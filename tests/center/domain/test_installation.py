"""What proves each step of an installation, and that nothing else does."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from center.domain import installation
from center.domain.installation import (
    AHEAD_S,
    LATE_S,
    LEFT_OFF_S,
    MEASURED_S,
    NO_CALLS,
    ON_BATTERY_S,
    READ_APART_S,
    SEEN_AFTER_S,
    WEAK_DBM,
    Answer,
    Call,
    Calls,
    Installation,
    Known,
    Part,
    Report,
    State,
    Step,
    Why,
    WhyNot,
)
from center.domain.record import Consent, ConsentItem, Contact, Record
from hub.contract.messages import FaultKind, InstallDevice, InstallReport
from hub.core.inputs.wireless import KIND
from tests.center.making import HUB, NOW

WHO, OPERATOR = "김하늘", "박바다"
LIVED = Record(name="이순자", address="정선읍 1", contacts=(Contact("이영희"),))
MOTION = InstallDevice("motion", "motion", "거실")
HELP = InstallDevice("help", "help_button", "거실")
GREEN = InstallDevice("green", "cancel_button")
POWER = InstallDevice("power", "mains", on=True)
PENDANT = InstallDevice("pendant", "help_button", wireless=True)
BARE = InstallReport(NOW, synced=True, boot="b1", devices=(MOTION, HELP, GREEN), voice="nothing")
ALL = replace(
    BARE,
    devices=(MOTION, HELP, GREEN, POWER, PENDANT),
    has=("radio", "setup", "voice"),
    way="ethernet",
    voice="talking",
)
BEGUN = installation.begun(HUB, WHO, NOW)
LATER = NOW + 100.0  # when reports come, so ages below 100 s are since the begin
BEFORE = NOW - 2 * SEEN_AFTER_S


def shown(*reports: InstallReport, one: Installation = BEGUN, utc: float = LATER) -> Installation:
    for report in reports:
        one = installation.shown(one, replace(report, utc=utc), utc)
    return one


def state(one: Installation, step: Step, name: str = "") -> State:
    item = one.find(step, name)
    assert item, (step, name)
    return item.state


def why(one: Installation, step: Step, name: str = "") -> Why | None:
    item = one.find(step, name)
    assert item, (step, name)
    return item.evidence.why


def using(*used: InstallDevice, report: InstallReport = BARE) -> InstallReport:
    others = tuple(one for one in report.devices if one.name not in {each.name for each in used})
    return replace(report, devices=(*others, *used))


def test_at_the_begin_every_step_waits_in_its_order() -> None:
    assert [one.step for one in BEGUN.standings] == list(Step)
    assert set(BEGUN.open_steps) == set(Step)
    assert why(BEGUN, Step.SENSORS) is Why.NO_REPORT
    old = installation.known(BEGUN, Known(old_hub=True), NOW)
    assert why(old, Step.CLOCK) is Why.OLD_HUB


def test_a_sensor_is_proven_by_a_use_since_the_begin_and_by_nothing_older() -> None:
    one = shown(using(replace(MOTION, used_s=101.0, heard_s=1.0)))
    assert state(one, Step.SENSORS, "motion") is State.WAITING
    one = shown(using(replace(MOTION, used_s=99.0, battery_pct=80.0)), one=one)
    item = one.find(Step.SENSORS, "motion")
    assert item
    assert (item.state, item.proven_utc, item.by) == (State.PROVEN, LATER, "")
    assert (item.evidence.used_utc, item.evidence.battery_pct) == (NOW + 1.0, 80.0)
    assert one.standing(Step.SENSORS).state is State.WAITING, "the button was not pressed"
    one = shown(using(replace(HELP, used_s=5.0), replace(GREEN, used_s=5.0)), one=one)
    assert one.standing(Step.SENSORS).state is State.PROVEN
    later = shown(BARE, one=one, utc=LATER + 50)
    assert later.find(Step.SENSORS, "motion") == item, "it is stored once"


def test_a_detector_needs_no_fire_and_a_pendant_no_list_of_presses() -> None:
    smoke = InstallDevice("smoke", "smoke", wireless=True, heard_s=3.0)
    one = shown(using(smoke, replace(PENDANT, heard_s=4.0), report=ALL))
    assert state(one, Step.SENSORS, "smoke") is State.PROVEN
    assert state(one, Step.RADIO, "pendant") is State.PROVEN
    assert state(one, Step.SENSORS, "motion") is State.WAITING
    quiet = shown(using(replace(MOTION, heard_s=4.0)))
    assert state(quiet, Step.SENSORS, "motion") is State.WAITING, "to be heard is not to be used"


@pytest.mark.parametrize("what", ["smoke", "gas", "carbon_monoxide", "moisture"])
def test_a_detector_that_was_tried_before_the_begin_is_proven_by_a_later_sign(what: str) -> None:
    detector = InstallDevice(what, what, wireless=True, used_s=500.0, heard_s=1.0)
    item = shown(using(detector)).find(Step.SENSORS, what)
    assert item
    assert (item.state, item.evidence.heard_utc) == (State.PROVEN, LATER - 1.0)
    assert item.evidence.used_utc is None, "that use has shown nothing"
    silent = replace(detector, heard_s=500.0)
    assert state(shown(using(silent)), Step.SENSORS, what) is State.WAITING
    untried = replace(detector, used_s=None)
    assert state(shown(using(untried)), Step.SENSORS, what) is State.PROVEN, "nobody wets it"


def test_nobody_is_asked_to_use_what_is_a_call_even_in_test_mode() -> None:
    assert {sensed.value for sensed in KIND} == installation.NEVER_TESTED


def test_a_pendant_that_was_pressed_before_the_begin_is_proven_by_a_later_sign() -> None:
    pressed = replace(PENDANT, used_s=500.0, heard_s=1.0)
    one = shown(using(pressed, report=ALL))
    assert state(one, Step.RADIO, "pendant") is State.PROVEN
    again = installation.again(one, Step.RADIO, "pendant", LATER)
    assert isinstance(again, Installation)
    before = shown(using(replace(pressed, heard_s=5.0), report=ALL), one=again, utc=LATER + 4)
    assert state(before, Step.RADIO, "pendant") is State.WAITING
    after = shown(using(replace(pressed, heard_s=5.0), report=ALL), one=again, utc=LATER + 6)
    assert state(after, Step.RADIO, "pendant") is State.PROVEN


@pytest.mark.parametrize(
    "other",
    [replace(MOTION, what="exit_door", place="현관문"), replace(MOTION, place="침실")],
)
@pytest.mark.parametrize("used_s", [None, 1.0])
def test_another_device_of_the_same_name_is_shown_anew(
    other: InstallDevice, used_s: float | None
) -> None:
    one = shown(using(replace(MOTION, used_s=used_s)))
    changed = shown(using(replace(other, used_s=used_s)), one=one)
    item = changed.find(Step.SENSORS, "motion")
    assert item
    assert (item.state, item.proven_utc) == (WAITING, None), "what was used was the other one"
    assert (item.evidence.what, item.evidence.place) == (other.what, other.place)
    still = shown(using(replace(other, used_s=10.0)), one=changed, utc=LATER + 9)
    assert state(still, Step.SENSORS, "motion") is WAITING
    anew = shown(using(replace(other, used_s=1.0)), one=still, utc=LATER + 9)
    assert state(anew, Step.SENSORS, "motion") is PROVEN


def test_a_pendant_of_the_same_name_in_other_hands_is_pressed_anew() -> None:
    one = shown(using(replace(PENDANT, heard_s=1.0), report=ALL))
    cord = replace(PENDANT, what="pull_cord", heard_s=1.0)
    assert state(shown(using(cord, report=ALL), one=one), Step.RADIO, "pendant") is WAITING


def test_what_a_proven_device_is_named_besides_keeps_its_proof() -> None:
    one = shown(replace(using(replace(MOTION, used_s=1.0)), has=("voice",), answered_s=1.0))
    more = replace(MOTION, battery_pct=20.0, on=True, faults=(FaultKind.LOW_BATTERY.value,))
    after = shown(replace(using(more), has=("voice",), voice="talking"), one=one)
    assert state(after, Step.SENSORS, "motion") is PROVEN
    assert after.standing(Step.SOUND).state is PROVEN


def test_a_phone_that_was_seen_and_is_not_told_of_any_more_stays() -> None:
    phone = InstallDevice("phone", "phone", wireless=True, heard_s=1.0)
    one = shown(using(phone, report=ALL))
    untold = replace(phone, heard_s=None, faults=(installation.UNTOLD,))
    assert state(shown(using(untold, report=ALL), one=one), Step.RADIO, "phone") is PROVEN
    first = shown(using(untold, report=ALL))
    assert state(shown(using(phone, report=ALL), one=first), Step.RADIO, "phone") is PROVEN


def test_a_device_that_is_taken_away_is_no_step_any_more() -> None:
    one = shown(BARE)
    gone = shown(replace(BARE, devices=(MOTION,)), one=one)
    assert gone.find(Step.SENSORS, "help") is None
    part = shown(replace(BARE, devices=(MOTION,), left=2), one=one)
    assert part.find(Step.SENSORS, "help"), "this report had no room for it"
    none = shown(replace(BARE, devices=(PENDANT,), left=3), one=one)
    assert [each.name for each in none.of(Step.SENSORS)] == ["green", "help", "motion"]


@pytest.mark.parametrize(
    ("report", "step", "reason"),
    [
        (BARE, Step.RADIO, Why.NO_RADIO),
        (replace(BARE, has=("radio",)), Step.RADIO, Why.NO_DEVICES),
        (BARE, Step.SOUND, Why.NO_VOICE),
        (BARE, Step.MAINS, Why.NO_UPS),
        (replace(BARE, devices=()), Step.SENSORS, Why.NO_DEVICES),
    ],
)
def test_what_a_home_does_not_have_is_left_out_with_its_reason(
    report: InstallReport, step: Step, reason: Why
) -> None:
    standing = shown(report).standing(step)
    assert (standing.state, standing.evidence.why) == (State.LEFT_OUT, reason)


def test_a_phone_of_which_the_resident_wants_nothing_told_is_left_out() -> None:
    told = InstallDevice("told", "phone", wireless=True)
    untold = InstallDevice("untold", "phone", wireless=True, faults=(installation.UNTOLD,))
    one = shown(using(told, untold, report=ALL))
    assert why(one, Step.RADIO, "untold") is Why.NOT_CONSENTED
    assert state(one, Step.RADIO, "told") is State.WAITING


def test_what_is_set_up_later_waits_again() -> None:
    one = shown(ALL, one=shown(BARE))
    assert one.standing(Step.MAINS).state is State.WAITING
    assert one.standing(Step.SOUND).state is State.WAITING
    assert one.find(Step.MAINS) is None


WIFI = replace(ALL, way="wifi", network="우리집", signal_dbm=-60)
EVERY_S = 5.0  # a hub reports so often


def wifi(dbm: int, utc: float, one: Installation) -> Installation:
    return shown(replace(WIFI, signal_dbm=dbm), one=one, utc=utc)


def measured(*dbm: int, one: Installation = BEGUN, begin: float = LATER) -> Installation:
    """Read a signal every five seconds."""
    for n, each in enumerate(dbm):
        one = wifi(each, begin + n * EVERY_S, one)
    return one


def test_a_cable_is_enough_and_of_a_wifi_the_worst_spot_counts() -> None:
    assert state(shown(ALL), Step.NETWORK) is State.PROVEN
    one = measured(-60, WEAK_DBM, -60, -60)
    assert why(one, Step.NETWORK) is Why.MEASURING
    one = wifi(-60, LATER + MEASURED_S, one)
    item = one.find(Step.NETWORK)
    assert item
    assert (item.state, item.evidence.worst_dbm) == (State.PROVEN, WEAK_DBM)
    same = wifi(-60, LATER + MEASURED_S + 5, one)
    assert same.find(Step.NETWORK) == item, "it is stored once"
    weak = wifi(WEAK_DBM - 1, LATER + MEASURED_S + 10, one)
    assert (state(weak, Step.NETWORK), why(weak, Step.NETWORK)) == (State.WAITING, Why.WEAK)
    again = installation.again(weak, Step.NETWORK, "", LATER + 32)
    assert isinstance(again, Installation)
    again = measured(*[-60] * 4, one=again, begin=LATER + 35)
    assert why(again, Step.NETWORK) is Why.MEASURING
    again = wifi(-60, LATER + 55, again)
    assert state(again, Step.NETWORK) is State.PROVEN


@pytest.mark.parametrize("apart_s", [MEASURED_S, READ_APART_S + 0.1])
def test_readings_with_nothing_between_them_measure_no_time(apart_s: float) -> None:
    one = BEGUN
    for n in range(4):
        one = wifi(-60, LATER + n * apart_s, one)
    assert why(one, Step.NETWORK) is Why.MEASURING
    lost_one = wifi(-60, LATER, BEGUN)
    for n in (2, 3, 4):
        lost_one = wifi(-60, LATER + n * EVERY_S, lost_one)
    assert state(lost_one, Step.NETWORK) is State.PROVEN, "a report may be lost"
    back = wifi(-60, LATER - 600, wifi(-60, LATER, BEGUN))
    assert why(back, Step.NETWORK) is Why.MEASURING, "the centre's clock was set back"


@pytest.mark.parametrize("way", ["", "none"])
def test_a_hub_that_should_know_its_way_and_does_not_has_none(way: str) -> None:
    unknown = replace(ALL, way=way)
    assert why(shown(unknown), Step.NETWORK) is Why.NO_WAY
    assert why(shown(unknown, one=shown(ALL)), Step.NETWORK) is Why.NO_WAY, "the cable was pulled"
    bare = shown(replace(BARE, way=way))
    assert state(bare, Step.NETWORK) is State.PROVEN, "nothing tells this hub its way"


@pytest.mark.parametrize(
    "between",
    [
        replace(ALL, way=""),
        replace(ALL, way="none"),
        replace(ALL, way="hotspot", network="Anbu-0417"),
        replace(ALL, way="ethernet"),
        replace(WIFI, network="", signal_dbm=None),
    ],
)
def test_a_weak_signal_is_forgotten_only_by_another_network_or_a_new_try(
    between: InstallReport,
) -> None:
    weak = WEAK_DBM - 10
    one = shown(between, one=measured(*[weak] * 5), utc=LATER + 25)
    back = measured(*[-60] * 6, one=one, begin=LATER + 30)
    assert why(back, Step.NETWORK) is Why.WEAK
    other = one
    for n in range(6):
        report = replace(WIFI, network="옆집")
        other = shown(report, one=other, utc=LATER + 30 + n * EVERY_S)
        assert (state(other, Step.NETWORK) is State.PROVEN) is (n >= 4), n
    again = installation.again(one, Step.NETWORK, "", LATER + 27)
    assert isinstance(again, Installation)
    again = measured(*[-60] * 6, one=again, begin=LATER + 30)
    assert state(again, Step.NETWORK) is State.PROVEN


def test_a_report_without_a_signal_ends_no_measuring() -> None:
    one = measured(-60, -60)
    one = shown(replace(ALL, way=""), one=one, utc=LATER + 8)  # the process was started again
    one = measured(-60, -60, -60, -60, one=one, begin=LATER + 10)
    assert state(one, Step.NETWORK) is State.PROVEN
    item = one.find(Step.NETWORK)
    assert item
    assert item.evidence.measured_s == MEASURED_S, "what passed while nothing was read, is not in"


def test_a_wifi_that_tells_no_signal_is_not_measured() -> None:
    one = BEGUN
    for n in range(12):
        one = shown(replace(WIFI, signal_dbm=None), one=one, utc=LATER + n * EVERY_S)
    assert why(one, Step.NETWORK) is Why.MEASURING


def test_the_hubs_own_hotspot_is_no_network_and_an_unknown_way_is_one() -> None:
    assert why(shown(replace(ALL, way="hotspot")), Step.NETWORK) is Why.HOTSPOT
    assert state(shown(BARE), Step.NETWORK) is State.PROVEN, "its report came through it"
    newer = shown(replace(ALL, way="cellular"))
    assert state(newer, Step.NETWORK) is State.PROVEN, "a newer hub knows its way"


def test_sound_is_proven_by_the_residents_answer() -> None:
    one = shown(replace(ALL, heard_s=3.0))
    assert state(one, Step.SOUND, Part.MICROPHONE) is State.PROVEN
    assert state(one, Step.SOUND, Part.HEARD) is State.WAITING
    assert one.standing(Step.SOUND).state is State.WAITING
    one = shown(replace(ALL, answered_s=101.0), one=one)
    assert state(one, Step.SOUND, Part.HEARD) is State.WAITING, "it was before the begin"
    one = shown(replace(ALL, answered_s=99.0), one=one)
    assert one.standing(Step.SOUND).state is State.PROVEN
    assert state(one, Step.RESIDENT, Part.SPOKEN) is State.PROVEN
    deaf = shown(replace(ALL, faults=(FaultKind.NO_MICROPHONE.value,)))
    assert why(deaf, Step.SOUND, Part.MICROPHONE) is Why.OUT_OF_ORDER


MAINS_PARTS = (Part.PULLED, Part.BATTERY, Part.BACK)
WAITING, PROVEN = State.WAITING, State.PROVEN


def mains(
    *, on: bool, used_s: float | None, pct: float | None = None, faults: tuple[str, ...] = ()
) -> InstallReport:
    power = replace(POWER, on=on, used_s=used_s, battery_pct=pct, faults=faults)
    return using(power, report=ALL)


def of_mains(one: Installation) -> list[State]:
    return [state(one, Step.MAINS, part) for part in MAINS_PARTS]


def test_mains_are_pulled_the_battery_is_seen_and_mains_are_back() -> None:
    one = shown(mains(on=True, used_s=None, pct=90.0))
    assert of_mains(one) == [WAITING] * 3
    one = shown(mains(on=False, used_s=ON_BATTERY_S - 0.1), one=one)
    assert of_mains(one) == [PROVEN, WAITING, WAITING]
    one = shown(mains(on=False, used_s=ON_BATTERY_S), one=one)
    assert of_mains(one) == [PROVEN, PROVEN, WAITING]
    one = shown(mains(on=True, used_s=20.0), one=one)
    assert of_mains(one) == [PROVEN] * 3


def test_no_gauge_shows_that_a_hub_runs_on_its_battery() -> None:
    one = shown(mains(on=False, used_s=0.1, pct=100.0))
    assert of_mains(one) == [PROVEN, WAITING, WAITING]
    died = shown(replace(mains(on=True, used_s=None, pct=100.0), boot="b2"), one=one)
    assert of_mains(died) == [PROVEN, WAITING, WAITING], "it died, and came back with the plug"
    loose = shown(replace(mains(on=True, used_s=0.3, pct=0.0), boot="b2"), one=died)
    assert of_mains(loose) == [PROVEN, WAITING, WAITING], "a loose plug"
    short = shown(mains(on=True, used_s=60.0, pct=100.0))
    assert of_mains(short) == [PROVEN, WAITING, WAITING], "nobody saw how long it was pulled"


def test_mains_are_back_only_after_the_battery_was_seen() -> None:
    one = shown(mains(on=True, used_s=0.3))  # the plug was loose for a moment
    one = shown(mains(on=False, used_s=ON_BATTERY_S), one=one)
    assert of_mains(one) == [PROVEN, PROVEN, WAITING], "who leaves now leaves it unplugged"


@pytest.mark.parametrize("fault", [FaultKind.LOW_BATTERY, FaultKind.DRIVER_FAILED])
@pytest.mark.parametrize("of", ["mains", "battery"])
def test_a_battery_that_is_low_or_broken_proves_nothing(fault: FaultKind, of: str) -> None:
    faults = (FaultKind.MAINS_LOST.value, fault.value)
    report = mains(on=False, used_s=60.0, faults=faults if of == "mains" else faults[:1])
    gauge = InstallDevice("gauge", "battery", battery_pct=9.0, faults=(fault.value,))
    report = report if of == "mains" else using(gauge, report=report)
    one = shown(report)
    assert of_mains(one) == [PROVEN, WAITING, WAITING]
    item = one.find(Step.MAINS, Part.BATTERY)
    assert item
    assert (item.evidence.why, item.evidence.faults) == (Why.OUT_OF_ORDER, (fault.value,))
    assert why(one, Step.MAINS, Part.BACK) is None
    mended = shown(mains(on=False, used_s=60.0, faults=faults[:1]), one=one)
    assert of_mains(mended) == [PROVEN, PROVEN, WAITING], "mains that are lost are what is tested"


@pytest.mark.parametrize("part", MAINS_PARTS)
def test_mains_that_have_to_be_shown_anew_are_pulled_anew(part: Part) -> None:
    pulled = shown(mains(on=False, used_s=20.0))
    done = shown(mains(on=True, used_s=30.0), one=pulled)
    assert of_mains(done) == [PROVEN] * 3
    again = installation.again(done, Step.MAINS, part, LATER)
    assert isinstance(again, Installation)
    assert of_mains(again) == [WAITING] * 3
    old = shown(mains(on=True, used_s=31.0), one=again, utc=LATER + 1)
    assert of_mains(old) == [WAITING] * 3, "that pull was before"
    anew = shown(mains(on=False, used_s=11.0), one=old, utc=LATER + 20)
    anew = shown(mains(on=True, used_s=20.0), one=anew, utc=LATER + 29)
    assert of_mains(anew) == [PROVEN] * 3


@pytest.mark.parametrize(
    ("ahead_s", "synced", "expected"),
    [
        (AHEAD_S, True, None),
        (-AHEAD_S, True, None),
        (AHEAD_S + 0.1, True, Why.AHEAD),
        (-AHEAD_S - 0.1, True, Why.AHEAD),
        (0.0, False, Why.UNSYNCED),
    ],
)
def test_the_clock_is_set_by_a_time_service_and_is_the_centres(
    ahead_s: float, expected: Why | None, *, synced: bool
) -> None:
    for report in (
        replace(BARE, ahead_s=ahead_s, utc=LATER),
        replace(BARE, utc=LATER + ahead_s),
    ):
        one = installation.shown(BEGUN, replace(report, synced=synced), LATER)
        late = ahead_s < 0 and report.ahead_s is None  # the report was slow, or the clock is
        assert why(one, Step.CLOCK) is (Why.LATE if expected is Why.AHEAD and late else expected)
        assert (state(one, Step.CLOCK) is State.PROVEN) is (expected is None)


@pytest.mark.parametrize("ahead_s", [None, 0.1])
def test_a_clock_is_not_proven_by_a_report_that_says_another_time(ahead_s: float | None) -> None:
    report = replace(BARE, ahead_s=ahead_s)
    ahead = installation.shown(BEGUN, replace(report, utc=LATER + 300), LATER)
    item = ahead.find(Step.CLOCK)
    assert item
    assert (item.state, item.evidence.why, item.evidence.ahead_s) == (WAITING, Why.AHEAD, 300.0)
    stale = installation.shown(BEGUN, replace(report, utc=LATER - LATE_S - 1), LATER)
    assert (state(stale, Step.CLOCK), why(stale, Step.CLOCK)) == (WAITING, Why.LATE)
    right = installation.shown(stale, replace(report, utc=LATER), LATER)
    assert state(right, Step.CLOCK) is PROVEN
    late = replace(BARE, ahead_s=0.1, utc=LATER - LATE_S + 1)
    assert state(installation.shown(BEGUN, late, LATER), Step.CLOCK) is PROVEN, "on its way"


def test_a_clock_that_was_wrong_when_it_was_compared_is_compared_again() -> None:
    report = replace(BARE, ahead_s=-300.0, utc=LATER)
    assert why(installation.shown(BEGUN, report, LATER), Step.CLOCK) is Why.AHEAD


TEST = Call("i1", NOW + 30, "help", "거실", OPERATOR, WHO)


def test_a_test_call_is_proven_by_another_persons_answer() -> None:
    one = installation.called(shown(BARE), Calls(tested=replace(TEST, by=WHO)))
    assert (state(one, Step.TEST_CALL), why(one, Step.TEST_CALL)) == (State.WAITING, Why.OWN_ANSWER)
    one = installation.called(one, Calls(tested=TEST))
    item = one.find(Step.TEST_CALL)
    assert item
    assert (item.state, item.by, item.proven_utc) == (State.PROVEN, OPERATOR, NOW + 30)
    assert (item.evidence.incident, item.evidence.device) == ("i1", "help")


def test_the_resident_presses_takes_back_and_speaks() -> None:
    one = shown(BARE)
    assert why(one, Step.RESIDENT, Part.SPOKEN) is Why.NO_VOICE
    assert installation.called(one, NO_CALLS).standing(Step.RESIDENT).state is State.WAITING
    press = Call("i2", NOW + 50, "help")
    one = installation.called(one, Calls(pressed=press, cancelled=press))
    assert one.standing(Step.RESIDENT).state is State.PROVEN


CORD = InstallDevice("cord", "pull_cord", "욕실")


@pytest.mark.parametrize("has", [(), ("voice",)])
def test_only_where_there_is_a_green_button_is_a_call_taken_back(has: tuple[str, ...]) -> None:
    none = shown(replace(BARE, devices=(MOTION, HELP), has=has))
    item = none.find(Step.RESIDENT, Part.CANCELLED)
    assert item
    assert (item.state, item.evidence.why) == (State.LEFT_OUT, Why.NO_CANCEL_BUTTON)
    wireless = replace(GREEN, wireless=True)
    for green in (GREEN, wireless):
        found = shown(replace(BARE, devices=(HELP, green), has=has), one=none)
        assert state(found, Step.RESIDENT, Part.CANCELLED) is State.WAITING


def test_who_can_only_call_by_voice_presses_nothing() -> None:
    spoken = replace(ALL, devices=(MOTION, GREEN))
    one = shown(spoken)
    assert why(one, Step.RESIDENT, Part.PRESSED) is Why.NO_CALL_BUTTON
    assert state(one, Step.RESIDENT, Part.PRESSED) is State.LEFT_OUT
    assert (state(one, Step.TEST_CALL), why(one, Step.TEST_CALL)) == (State.WAITING, None)
    one = installation.called(one, Calls(tested=replace(TEST, device="voice")))
    assert state(shown(spoken, one=one), Step.TEST_CALL) is State.PROVEN
    for device in (HELP, CORD, PENDANT):
        found = shown(replace(spoken, devices=(MOTION, device)), one=one)
        assert state(found, Step.RESIDENT, Part.PRESSED) is State.WAITING


def test_a_home_from_which_nobody_can_call_is_not_installed() -> None:
    one = shown(replace(BARE, devices=(MOTION,)))
    assert one.standing(Step.RESIDENT).state is State.LEFT_OUT
    assert (state(one, Step.TEST_CALL), why(one, Step.TEST_CALL)) == (
        State.WAITING,
        Why.NOTHING_CALLS,
    )
    assert why(shown(BARE, one=one), Step.TEST_CALL) is None


def test_a_home_too_large_for_one_report_is_known_when_all_of_it_was_listed() -> None:
    """Devices take turns; `left` counts those that are not listed."""
    bare = replace(BARE, has=("voice",))
    first = replace(bare, devices=(MOTION, POWER), left=2)
    one = shown(first)
    assert why(one, Step.RADIO) is Why.NO_REPORT
    for part in (Part.PRESSED, Part.CANCELLED):
        assert (state(one, Step.RESIDENT, part), why(one, Step.RESIDENT, part)) == (WAITING, None)
    last = replace(bare, devices=(CORD, InstallDevice("door", "door")), left=2)
    one = shown(last, one=one)
    assert why(one, Step.RADIO) is Why.NO_RADIO
    assert why(one, Step.RESIDENT, Part.CANCELLED) is Why.NO_CANCEL_BUTTON
    assert state(one, Step.RESIDENT, Part.PRESSED) is WAITING
    gauge = InstallDevice("gauge", "battery")
    more = shown(replace(bare, devices=(MOTION, POWER), left=3), one=one)
    assert why(more, Step.RESIDENT, Part.CANCELLED) is Why.NO_CANCEL_BUTTON, "nothing new is known"
    more = shown(replace(bare, devices=(gauge, GREEN), left=3), one=more)
    assert state(more, Step.RESIDENT, Part.CANCELLED) is WAITING


def test_a_device_that_is_taken_away_from_a_large_home_is_no_step_any_more() -> None:
    used = replace(MOTION, used_s=1.0)
    one = shown(
        replace(BARE, devices=(used, HELP), left=1), replace(BARE, devices=(GREEN,), left=2)
    )
    assert [item.name for item in one.of(Step.SENSORS)] == ["green", "help", "motion"]
    turn = (replace(BARE, devices=(used,), left=1), replace(BARE, devices=(GREEN,), left=1))
    one = shown(*turn, *turn, one=one)
    assert one.find(Step.SENSORS, "help"), "a report may be lost"
    for _ in range(3):
        one = shown(*turn, one=one)
        assert state(one, Step.SENSORS, "motion") is PROVEN
        assert state(one, Step.SENSORS, "green") is WAITING
    assert [item.name for item in one.of(Step.SENSORS)] == ["green", "motion"]
    assert one == shown(*turn, one=one), "what is shown again is stored once"


def test_home_and_resident_are_what_the_record_holds() -> None:
    one = installation.known(BEGUN, Known(Record(name="이순자")), NOW)
    item = one.find(Step.HOME)
    assert item
    assert (item.state, item.evidence.missing) == (State.WAITING, ("address", "contacts"))
    one = installation.known(one, Known(LIVED, 1.0), NOW + 5)
    assert state(one, Step.HOME) is State.PROVEN
    assert installation.known(one, Known(LIVED, 1.0), NOW + 9) == one
    identity = shown(BARE, one=one).find(Step.IDENTITY)
    assert identity
    assert (identity.state, identity.evidence.certificate_ends_utc) == (State.PROVEN, 1.0)


def test_consents_are_the_residents_word_item_by_item() -> None:
    asked = replace(LIVED, consents=(Consent(ConsentItem.VOICE, given=True),))
    one = installation.known(BEGUN, Known(asked), NOW)
    voice = one.find(Step.CONSENTS, "voice")
    assert voice
    assert (voice.state, voice.evidence.answer) == (State.WAITING, Answer.GIVEN), "asked anew"
    for item in ConsentItem:
        one = told(one, Step.CONSENTS, item, Answer.REFUSED)
    assert one.standing(Step.CONSENTS).state is State.PROVEN
    assert one.standing(Step.CONSENTS).by == WHO
    one = told(one, Step.ANSIM119, "", Answer.NOT_AVAILABLE)
    assert one.standing(Step.ANSIM119).evidence.answer is Answer.NOT_AVAILABLE


def told(one: Installation, step: Step, name: str, answer: Answer) -> Installation:
    after = installation.told(one, step, name, answer, WHO, NOW + 7)
    assert isinstance(after, Installation)
    return after


@pytest.mark.parametrize("step", [one for one in Step if one not in installation.BY_WORD])
def test_nothing_that_a_hub_or_the_centre_shows_is_ticked_by_a_person(step: Step) -> None:
    one = shown(BARE)
    for item in one.of(step):
        for answer in Answer:
            refused = installation.told(one, step, item.name, answer, WHO, NOW)
            assert refused is WhyNot.HUB_SHOWS_IT


@pytest.mark.parametrize(
    ("step", "name", "answer", "refused"),
    [
        (Step.CONSENTS, "nothing", Answer.GIVEN, WhyNot.NO_SUCH_ITEM),
        (Step.CONSENTS, "voice", Answer.REGISTERED, WhyNot.BAD_ANSWER),
        (Step.CONSENTS, "voice", Answer.of("perhaps"), WhyNot.BAD_ANSWER),
        (Step.ANSIM119, "", Answer.GIVEN, WhyNot.BAD_ANSWER),
    ],
)
def test_a_word_that_makes_no_sense_is_refused(
    step: Step, name: str, answer: Answer, refused: WhyNot
) -> None:
    assert installation.told(BEGUN, step, name, answer, WHO, NOW) is refused


def test_an_item_that_has_to_be_shown_anew_counts_from_then() -> None:
    used = using(replace(MOTION, used_s=10.0))
    one = installation.again(shown(used), Step.SENSORS, "motion", LATER)
    assert isinstance(one, Installation)
    assert state(shown(used, one=one), Step.SENSORS, "motion") is State.WAITING
    after = shown(using(replace(MOTION, used_s=1.0)), one=one, utc=LATER + 20)
    assert state(after, Step.SENSORS, "motion") is State.PROVEN
    assert installation.again(one, Step.SENSORS, "x", LATER) is WhyNot.NO_SUCH_ITEM
    assert installation.again(one, Step.TEST_CALL, "", LATER) is WhyNot.HUB_SHOWS_IT


def whole() -> Installation:
    one = shown(using(*(replace(each, used_s=1.0) for each in (MOTION, HELP, GREEN))))
    one = installation.known(one, Known(LIVED), NOW)
    press = Call("i2", NOW + 50, "help")
    one = installation.called(one, Calls(TEST, press, press))
    for item in ConsentItem:
        one = told(one, Step.CONSENTS, item, Answer.GIVEN)
    return told(one, Step.ANSIM119, "", Answer.REGISTERED)


def test_only_what_is_proven_or_left_out_whole_gives_a_report() -> None:
    done = installation.finished(whole(), WHO, LATER)
    assert isinstance(done, tuple)
    one, report = done
    assert isinstance(report, Report)
    assert [each.step for each in report.standings] == list(Step)
    assert {each.state for each in report.standings} == {State.PROVEN, State.LEFT_OUT}
    assert one.finished_utc == LATER


@pytest.mark.parametrize("key", sorted(item.key for item in whole().items))
def test_one_item_that_waits_keeps_the_report_back(key: tuple[str, str]) -> None:
    items = tuple(
        replace(each, state=State.WAITING) if each.key == key else each for each in whole().items
    )
    refused = installation.finished(replace(whole(), items=items), WHO, LATER)
    assert refused is WhyNot.NOT_PROVEN


Deed = Callable[[Installation], object]


@pytest.mark.parametrize(
    "deed",
    [
        lambda one: shown(ALL, one=one),
        lambda one: installation.known(one, Known(), LATER),
        lambda one: installation.called(one, NO_CALLS),
    ],
)
def test_what_is_finished_stays_as_it_is(deed: Deed) -> None:
    done = installation.finished(whole(), WHO, LATER)
    assert isinstance(done, tuple)
    assert deed(done[0]) == done[0]
    assert installation.finished(done[0], WHO, LATER) is WhyNot.FINISHED
    assert installation.again(done[0], Step.SENSORS, "motion", LATER) is WhyNot.FINISHED
    refused = installation.told(done[0], Step.ANSIM119, "", Answer.REFUSED, WHO, LATER)
    assert refused is WhyNot.FINISHED


@pytest.mark.parametrize(
    ("claimed_utc", "last", "sees"),
    [
        (None, None, False),
        (None, (NOW, None), False),
        (NOW, None, True),
        (NOW, (NOW + 5, None), True),
        (NOW, (NOW + 5, LATER - SEEN_AFTER_S + 1), True),
        (BEFORE, (BEFORE + 5, LATER - SEEN_AFTER_S), False),
        (BEFORE + 10, (BEFORE + 5, LATER - SEEN_AFTER_S), False),  # an operator began it first
        (NOW, (BEFORE + 5, NOW - 1), True),  # claimed anew
        (LATER - LEFT_OFF_S, None, False),
        (LATER - LEFT_OFF_S + 1, None, True),
        (NOW - LEFT_OFF_S, (LATER - LEFT_OFF_S, None), False),
        (NOW - LEFT_OFF_S, (LATER - LEFT_OFF_S + 1, None), True),  # an operator began it anew
    ],
)
def test_an_installer_sees_a_home_from_the_claim_until_a_day_after_the_end(
    claimed_utc: float | None, last: tuple[float, float | None] | None, *, sees: bool
) -> None:
    assert installation.may_see(claimed_utc, last, LATER) is sees


def test_a_use_just_after_the_begin_counts_whatever_tenth_it_is_shown_as() -> None:
    one = installation.begun(HUB, WHO, NOW + 0.04)
    used = using(replace(MOTION, used_s=0.0))
    assert state(shown(used, one=one, utc=NOW + 0.045), Step.SENSORS, "motion") is State.PROVEN
    assert state(shown(used, one=one, utc=NOW + 0.03), Step.SENSORS, "motion") is State.WAITING


def test_what_another_hub_has_shown_proves_nothing_and_the_residents_word_stays() -> None:
    one = installation.told(shown(BARE), Step.ANSIM119, "", Answer.REFUSED, WHO, LATER)
    assert isinstance(one, Installation)
    assert installation.with_hub(one, "정설치", one.begun_utc) is one
    new = installation.with_hub(one, "정설치", LATER + 10)
    assert (new.begun_by, new.begun_utc) == ("정설치", LATER + 10)
    assert state(one, Step.IDENTITY) is State.PROVEN
    assert state(new, Step.IDENTITY) is State.WAITING
    assert state(new, Step.ANSIM119) is State.PROVEN
    ended = replace(one, finished_utc=LATER, finished_by=WHO)
    assert installation.with_hub(ended, "정설치", LATER + 10) is ended


def test_a_new_one_takes_the_place_of_one_that_is_over_or_was_left_off() -> None:
    one = installation.begun(HUB, WHO, NOW)
    assert not installation.may_begin(one, NOW + LEFT_OFF_S - 1)
    assert installation.may_begin(one, NOW + LEFT_OFF_S)
    assert installation.may_begin(replace(one, finished_utc=NOW + 5), NOW + 6)
