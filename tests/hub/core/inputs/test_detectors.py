"""Smoke, gas and water are alarms of their own: raised at once, never taken for less."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import Evidence, Stage
from hub.contract.radio import Part, Sensed
from hub.contract.scaip import DETECTED, Kind
from hub.contract.voice import Phrase
from hub.contract.wire import LinkTrouble
from hub.core.decide import decide, must_commit, recover
from hub.core.inputs import wireless
from hub.core.model.effects import Forget, Publish, Say, Show, Signal
from hub.core.model.events import (
    BatteryMeasured,
    CenterAcked,
    DriverFailed,
    DriverReady,
    Event,
    LinkDown,
    RangeChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import Button, Role
from hub.core.model.state import Cancelled, Caution, HomeState
from hub.core.supervision import supervision
from tests.hub.core.scenes import FIRST, GREEN, HELP, UTC, press, received, tell_by
from tests.hub.core.wireless_scenes import (
    BOILER,
    DAY_S,
    DOOR,
    HALL,
    KITCHEN,
    PENDANT,
    PHONE,
    RADIO,
    RULES,
    SINK,
    SOFA,
    WINDOW,
    Fault,
    Over,
    Told,
    found,
    home,
    part,
    pressed,
    told,
    took,
)
from tests.playbook import playbook

BED = "smoke-bed"
SMOKE = Told("raised", "smoke", KITCHEN)
SMOKE_BED = Told("repeated", "smoke", BED)


def lived(*events: Event, state: HomeState | None = None) -> HomeState:
    return tell_by(RULES, home() if state is None else state, *events)


def smoke(at: float, device: str = KITCHEN, *, on: bool = True) -> Event:
    return found(at, device, Sensed.SMOKE, on=on)


def acked(state: HomeState, at: float, stage: Stage, version: int, kind: Kind) -> Event:
    (ident,) = [a.id for a in state.alarms if a.kind is kind]
    return CenterAcked(at, ident, ident, stage, version, "Kim")


def test_smoke_calls_at_once_and_sends_the_resident_out() -> None:
    assert (
        playbook(home(), RULES)
        >> smoke(10.0)
        << [Publish, Say(Phrase.LEAVE_SMOKE), Show(Signal.RAISED), Say(Phrase.RAISED)]
        >> smoke(11.0)  # the detector says it again
        << []
        >> Ticked(20.0)
        << [Show(Signal.UNDELIVERED), Say(Phrase.UNDELIVERED_OUTSIDE)]
        >> received(21.0)
        << [Forget(FIRST), Show(Signal.RECEIVED), Say(Phrase.RECEIVED_OUTSIDE)]
    )


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        (Sensed.SMOKE, Kind.SMOKE, Phrase.LEAVE_SMOKE),
        (Sensed.GAS, Kind.GAS, Phrase.LEAVE_GAS),
        (Sensed.CARBON_MONOXIDE, Kind.CARBON_MONOXIDE, Phrase.LEAVE_CARBON_MONOXIDE),
        (Sensed.MOISTURE, Kind.WATER, Phrase.WATER_FOUND),
    ],
)
def test_each_hazard_is_its_own_kind_whatever_the_detector_is_listed_as(
    what: Sensed, kind: Kind, words: Phrase
) -> None:
    state, effects = decide(home(), found(10.0, HALL, what), RULES)
    assert [a.kind for a in state.alarms] == [kind]
    assert Say(words) in effects


def test_every_kind_that_a_detector_finds_has_its_words() -> None:
    assert set(wireless.SAID) == set(wireless.KIND.values()) == DETECTED
    assert set(wireless.FAULT) == set(Part)


def test_smoke_during_an_open_call_is_a_call_of_its_own() -> None:
    state = lived(*press(5.0))
    story = playbook(state, RULES, told) >> smoke(10.0) << [SMOKE]
    assert story >> smoke(12.0, BED) << [SMOKE_BED], "a second detector of the same fire"
    carbon = found(13.0, BOILER, Sensed.CARBON_MONOXIDE)
    assert story >> carbon << [Told("raised", "carbon_monoxide", BOILER)]
    assert [a.kind for a in story.state.alarms] == ["help_button", "smoke", "carbon_monoxide"]


def test_a_call_for_help_during_a_fire_is_a_call_of_its_own() -> None:
    story = playbook(lived(smoke(5.0)), RULES, told)
    assert story >> pressed(10.0, 1) << [Told("raised", "pendant", PENDANT), took(1)]


@pytest.mark.parametrize("kind", sorted(DETECTED))
def test_what_the_house_judges_is_no_part_of_what_a_detector_found(kind: Kind) -> None:
    sensed = {k: s for s, k in wireless.KIND.items()}[kind]
    state = lived(found(5.0, HALL, sensed))
    quiet = Caution(Kind.QUIET, HALL, Evidence(0, 0, 0, 0), 9.0, 1.0)
    state = lived(Ticked(10.0), state=replace(state, warning=quiet))
    assert [a.kind for a in state.alarms] == [kind, Kind.QUIET]
    again = lived(found(12.0, SINK, sensed), state=replace(state, alarms=state.alarms[1:]))
    assert [a.kind for a in again.alarms] == [Kind.QUIET, kind]


def test_its_end_is_told_when_all_detectors_are_at_rest_and_a_person_closes_it() -> None:
    state = lived(smoke(10.0), smoke(11.0, BED))
    story = playbook(state, RULES, told)
    assert story >> smoke(60.0, on=False) << [] >> Ticked(130.0) << []
    assert story >> smoke(140.0, BED, on=False) << []
    assert story >> smoke(141.0, BED, on=False) << [], "it is at rest since 140"
    assert wireless.next_wake(story.state, RULES) == 200.0
    assert story >> Ticked(200.0) << [Told("cleared", "smoke", KITCHEN)] >> Ticked(900.0) << []
    assert len(story.state.alarms) == 1
    again = Told("repeated", "smoke", KITCHEN)
    assert story >> smoke(1_000.0) << [again], "smoke once more: what was told is not true any more"
    assert not story.state.alarms[0].cleared


def test_a_detector_that_swings_does_not_clear_and_does_not_flood() -> None:
    state = lived(smoke(10.0))
    state = lived(acked(state, 11.0, Stage.RECEIVED, 1, Kind.SMOKE), state=state)
    heard = 0
    for second in range(20, 140):
        state, effects = decide(state, smoke(float(second), on=second % 2 == 0), RULES)
        heard += sum(isinstance(e, Publish) and e.topic.endswith("/event") for e in effects)
    assert heard <= 120 / RULES.repeat_s + 1
    assert not state.alarms[0].cleared


def test_smoke_that_goes_on_after_its_alarm_was_closed_calls_again() -> None:
    state = lived(smoke(10.0))
    state = lived(acked(state, 11.0, Stage.RECEIVED, 1, Kind.SMOKE), state=state)
    state = lived(acked(state, 60.0, Stage.CLOSED, 2, Kind.SMOKE), state=state)
    assert not state.alarms
    story = playbook(state, RULES, told)
    assert story >> smoke(600.0) << [], "whoever closed it has just looked"
    assert story >> smoke(10.0 + RULES.hazard_again_s) << [SMOKE]


def test_a_restart_during_a_fire_calls_nobody_twice_and_forgets_nothing() -> None:
    state = lived(smoke(10.0))
    began = Started(20.0, UTC + 20.0, synced=True, boot="b2")
    state = lived(began, state=recover(state, began, []))
    story = playbook(state, RULES, told)
    assert story >> smoke(21.0) << []
    assert (
        story >> smoke(30.0, on=False) << [] >> Ticked(90.0) << [Told("cleared", "smoke", KITCHEN)]
    )


def test_nobody_in_the_house_takes_smoke_back() -> None:
    state = lived(smoke(10.0), *press(12.0, GREEN))
    (one,) = state.alarms
    assert not isinstance(one.life, Cancelled)
    assert one.cancel_asked
    water = lived(found(10.0, SINK, Sensed.MOISTURE), *press(12.0, GREEN))
    assert isinstance(water.alarms[0].life, Cancelled)
    again = lived(found(20.0, SINK, Sensed.MOISTURE, on=False), state=water)
    again = lived(found(30.0, SINK, Sensed.MOISTURE), state=again)
    assert len(again.alarms) == 2, "water anew, after it was taken back"


def test_a_detector_at_rest_says_nothing() -> None:
    assert playbook(home(), RULES, told) >> smoke(10.0, on=False) << []
    assert playbook(home(), RULES, told) >> smoke(10.0, "stranger") << []


def test_smoke_is_no_sign_of_life() -> None:
    state = lived(smoke(10.0), found(11.0, SINK, Sensed.MOISTURE))
    assert state.house.active_at == home().house.active_at


def test_who_is_told_to_leave_is_not_told_to_wait_inside() -> None:
    state = lived(smoke(10.0), smoke(20.0, on=False), Ticked(81.0))
    assert state.alarms[0].cleared
    ident = state.alarms[0].id
    received = CenterAcked(82.0, ident, ident, Stage.RECEIVED, 1)
    _, effects = decide(state, received, RULES)
    assert not [e for e in effects if isinstance(e, Say) and e.phrase is Phrase.RECEIVED_OUTSIDE]


def test_motion_and_doors_are_what_wired_ones_are() -> None:
    state = lived(found(5.0, HALL, Sensed.MOTION))
    assert (state.house.active_by, state.house.active_at) == (HALL, 5.0)
    for device, what in ((DOOR, Sensed.WINDOW), (WINDOW, Sensed.OPENING), (DOOR, Sensed.DOOR)):
        shut = lived(found(5.0, device, what, on=False))
        opened = lived(found(9.0, device, what), state=shut)
        assert (shut.house.active_by, opened.house.active_by) == ("", device)
        assert opened.house.sensed[device].active


def test_somebody_who_is_there_and_does_not_move_is_no_activity() -> None:
    there = lived(found(5.0, SOFA, Sensed.OCCUPANCY))
    assert there.house.active_at == 5.0
    still = lived(found(4_000.0, SOFA, Sensed.OCCUPANCY), state=there)
    assert still.house.active_at == 5.0
    moved = lived(found(5.0, HALL, Sensed.MOTION), found(9.0, HALL, Sensed.MOTION))
    assert moved.house.active_at == 9.0


def test_what_a_sensor_is_not_listed_for_only_shows_that_it_lives() -> None:
    silent = lived(Ticked(DAY_S + 10.0))
    assert "smoke-kitchen:silent" in silent.faults
    heard = playbook(silent, RULES, told)
    motion = found(DAY_S + 20.0, KITCHEN, Sensed.MOTION)
    assert heard >> motion << [Over("smoke-kitchen:silent")]
    assert heard.state.house.active_at == silent.house.active_at


def test_a_device_that_is_opened_is_a_fault() -> None:
    story = playbook(home(), RULES, told)
    assert story >> found(5.0, BOILER, Sensed.TAMPER) << [Fault("tamper", BOILER)]
    assert story >> found(9.0, BOILER, Sensed.TAMPER, on=False) << [Over("boiler:tamper")]


def test_to_be_heard_is_a_sign_of_life_and_not_to_be_heard_says_nothing_yet() -> None:
    story = playbook(home(), RULES, told)
    assert story >> RangeChanged(DAY_S - 9.0, KITCHEN, near=True) << []
    assert story >> RangeChanged(DAY_S - 5.0, KITCHEN, near=False) << []
    assert story >> Ticked(DAY_S + 9.0) << [Fault("silent", BED)]
    assert story >> Ticked(2 * DAY_S) << [Fault("silent", KITCHEN)]
    assert story >> RangeChanged(2 * DAY_S + 5, KITCHEN, near=True) << [Over(f"{KITCHEN}:silent")]
    assert playbook(home(), RULES, told) >> RangeChanged(5.0, PHONE, near=True) << []


@pytest.mark.parametrize("device", [KITCHEN, PENDANT, HALL])
def test_that_a_device_is_still_here_is_a_sign_of_its_life_and_of_nobody_elses(device: str) -> None:
    """The radio says so each minute: it is told to nobody, and no reason to write."""
    before = nobody = home()
    for at in (60.0, 120.0, 180.0):
        nobody, usual = decide(nobody, Ticked(at), RULES)
        after, effects = decide(before, RangeChanged(at, device, near=True), RULES)
        assert effects == usual
        assert not must_commit(before, after, effects)
        assert supervision.last_word(after, device) == at
        before = after
    assert (before.house, before.care) == (nobody.house, nobody.care)


def test_a_pendant_that_beacons_is_missed_when_it_is_silent() -> None:
    beacons = replace(RULES.buttons[PENDANT], silent_s=DAY_S)
    rules = replace(RULES, buttons={PENDANT: beacons}, sensors={})
    state = home(rules)
    story = playbook(state, rules, told) >> Ticked(DAY_S) << [Fault("silent", PENDANT)]
    assert story >> BatteryMeasured(DAY_S + 9, PENDANT, 80.0) << [Over("pendant:silent")]
    flat = BatteryMeasured(DAY_S + 20, PENDANT, 5.0)
    assert "low_battery" in str((story >> flat).effects)


@pytest.mark.parametrize(
    ("which", "kind"),
    [
        (Part.DAEMON, "no_bluetooth"),
        (Part.ADAPTER, "no_adapter"),
        (Part.BLOCKED, "adapter_blocked"),
        (Part.PASSIVE, "active_scan"),
        (Part.SCANNER, "scan_failed"),
    ],
)
def test_a_missing_part_of_the_radio_is_a_fault_and_no_alarm(which: Part, kind: str) -> None:
    story = playbook(home(), RULES, told)
    assert story >> part(5.0, which) << [Fault(kind, RADIO)]
    assert story >> part(9.0, which, broken=False) << [Over(f"{RADIO}:{kind}")]
    assert not story.state.alarms


def test_the_fault_of_one_device_is_told_with_its_name() -> None:
    story = playbook(home(), RULES, told)
    assert story >> part(5.0, Part.BOND, device=PHONE) << [Fault("stale_bond", PHONE)]
    assert story >> part(6.0, Part.KEY, device=PENDANT) << [Fault("wrong_key", PENDANT)]
    assert story >> part(7.0, Part.MUTE, device=KITCHEN) << [Fault("mute_link", KITCHEN)]
    assert story >> part(8.0, Part.KEY, device="neighbour") << []


def test_a_radio_process_that_is_lost_is_told_as_what_it_means() -> None:
    story = playbook(home(), RULES, told)
    assert story >> DriverFailed(5.0, RADIO, "gone") << [Fault("no_radio", RADIO, "gone")]
    assert story >> DriverReady(9.0, RADIO) << [Over("radio:no_radio")]
    assert story >> DriverFailed(12.0, HALL, "x") << [Fault("driver_failed", HALL, "x")]


def test_pendants_without_a_radio_are_told_at_the_start() -> None:
    began = Started(1.0, UTC, synced=True, boot="b1")
    deaf = replace(RULES, radio="")
    state = recover(HomeState(), began, [])
    assert playbook(state, deaf, told) >> began << [Fault("no_radio", "hub", "not set up")]
    wired = replace(deaf, buttons={HELP: Button(Role.HELP_BUTTON)})
    assert playbook(state, wired, told) >> began << []


def test_a_link_that_is_down_changes_nothing_of_it() -> None:
    state = lived(LinkDown(5.0, LinkTrouble.CLOSED))
    assert playbook(state, RULES, told) >> smoke(10.0) << [SMOKE]
