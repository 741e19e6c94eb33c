"""A sensor that pulses while nobody moves is no sign of life; a life in one room is one."""

from collections.abc import Iterable

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.activity import noise, quiet
from hub.core.activity.presence import BLIPS
from hub.core.checkin.restart import last_life
from hub.core.model.activity import STEP_S, Lone
from hub.core.model.effects import Ask
from hub.core.model.events import Answered, ContactChanged, DriverFailed, MotionChanged
from hub.core.model.rules import CareRules, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core.activity.test_quiet import NOON, morning
from tests.hub.core.house_scenes import (
    BATH,
    DAY,
    FRONT,
    HOUR,
    KITCHEN,
    LIVING,
    RULES,
    WITH_FRIDGE,
    Lived,
    settled,
)

MIXED = (23, 41, 14, 50, 33, 17, 47, 28, 36, 19)  # minutes between a curtain's movements
MINUTES_H = 1 / 60


def every(minutes: Iterable[float], hour: float, hours: float) -> list[float]:
    """Return the hours at which something pulses; the pauses repeat."""
    found, pauses = list[float](), list(minutes)
    while hour < found[0] + hours if found else True:
        found.append(hour)
        hour += pauses[len(found) % len(pauses)] * MINUTES_H
    return found


def pulsed(lived: Lived, minutes: Iterable[float], hours: float, device: str = KITCHEN) -> Lived:
    """One sensor pulses from now on, and nobody moves."""
    for hour in every(minutes, lived.at / HOUR + 0.3, hours):
        lived.move(device, hour)
    return lived


@pytest.mark.parametrize("minutes", [(14,), (20,), (30,), (50,), (29, 31, 30.5), MIXED])
def test_who_has_fallen_is_found_though_a_heater_pulses(minutes: tuple[float, ...]) -> None:
    """The fall was never noticed: each pulse counted as life, for the quiet and for the 24 h."""
    lived = pulsed(morning(settled()), minutes, 30.0)
    assert lived.kinds[:1] in ([Kind.QUIET], [Kind.NOT_UP])
    assert lived.alarms[0].at < (NOON + 22.0) * HOUR
    assert f"{KITCHEN}:noisy" in lived.state.faults


def blind() -> Lived:
    """A home in which quiet is not judged, so that only the rule of 24 h can raise an alarm."""
    rules = replace(RULES, quiet=replace(RULES.quiet, safe_night_s=1e9, most_s=1e9, least_s=1e9))
    return morning(settled(rules=rules))


@pytest.mark.parametrize("minutes", [(20,), MIXED])
def test_the_24_hours_count_from_before_the_noise(minutes: tuple[float, ...]) -> None:
    lived = pulsed(blind(), minutes, 60.0)
    raised = [alarm for alarm in lived.alarms if alarm.kind is Kind.NO_LIFE]
    began_at = NOON * HOUR + 0.3 * HOUR
    assert raised[0].at == pytest.approx(began_at + DAY + RULES.warn_s, abs=120.0)
    assert raised[0].evidence
    assert raised[0].evidence.lasted_s == pytest.approx(DAY, abs=5.0)


def test_noise_answers_no_check_in() -> None:
    rules = replace(RULES, care=CareRules(times=("20:00",)))
    lived = morning(settled(rules=rules))
    lived.effects.clear()
    pulsed(lived, (14,), 11.0)
    asked = [e for e in lived.effects if isinstance(e, Ask)]
    assert Ask(Phrase.REMIND, slow=True) in asked, "and it does not end the escalation"


def dismissed(lived: Lived) -> bool:
    """Whether what is seen now counts as noise."""
    return lived.state.house.lone.noise


@pytest.mark.parametrize("how", ["door", "word", "fridge", "other"])
def test_a_hand_a_word_or_another_sensor_bears_it_out(how: str) -> None:
    lived = morning(settled(rules=WITH_FRIDGE)).fridge(NOON + 0.01)
    pulsed(lived, (20,), 4.0)
    assert dismissed(lived)
    seen_at = lived.state.house.active_at
    match how:
        case "door":
            lived.door(lived.at / HOUR + 0.1)
        case "word":
            lived.take(Answered(lived.at + 60.0, Meaning.FINE))
        case "fridge":
            lived.fridge(lived.at / HOUR + 0.1)
        case _:
            lived.move(LIVING, lived.at / HOUR + 0.1)
    assert not dismissed(lived)
    assert lived.state.house.active_at > seen_at
    assert last_life(lived.state, lived.at, lived.rules) == lived.state.house.active_at


def test_who_lives_in_one_room_is_no_noise_once_that_is_known() -> None:
    """Ten hours in the living room each day, seen by its sensor alone."""
    lived = Lived().door(0.1)
    for day in range(20):
        lived.live(day, [7.0, 7.3], KITCHEN)
        lived.live(day, every(MIXED, 7.5, 10.0), LIVING)
        lived.live(day, [18.2, 18.5], KITCHEN).live(day, [19.0, 20.0, 21.0, 22.0], LIVING)
    assert lived.kinds == []
    assert lived.state.house.noisy == {}
    longest_s = lived.state.habits.longest[noise.LONE]
    assert 9.0 * HOUR < longest_s < 10.5 * HOUR
    lived.live(20, [7.0, 7.3], KITCHEN).live(20, every(MIXED, 7.5, 11.5), LIVING)
    assert lived.state.house.noisy == {}
    lived.live(20, every(MIXED, lived.at / HOUR % 24 + 0.4, 3.0), LIVING)
    assert f"{LIVING}:noisy" in lived.state.faults, "a good deal longer than ever"


def test_one_heater_does_not_teach_that_nobody_moves_for_days() -> None:
    lived = pulsed(morning(settled()), (30,), 70.0)
    lived.move(LIVING, lived.at / HOUR + 0.2)
    assert lived.state.habits.longest[noise.LONE] <= RULES.watch.lone_s


def test_what_a_visitor_did_teaches_nothing_of_one_room() -> None:
    lived = morning(settled())
    before = lived.state.habits.longest.get(noise.LONE, 0.0)
    lived.take(Answered(lived.at + 60.0, Meaning.VISITOR))
    pulsed(lived, (17, 41, 23), 2.0)
    lived.move(LIVING, lived.at / HOUR + 0.2)
    assert lived.state.habits.longest.get(noise.LONE, 0.0) <= before


def test_in_a_new_home_nobody_knows_how_long_one_sensor_alone_may_see_somebody() -> None:
    lived = Lived().move(LIVING, 7.0).move(BATH, 7.1)
    lived.live(0, every(MIXED, 7.5, 23.0), KITCHEN)
    assert not lived.state.house.lone.noise
    pulsed(lived, MIXED, 3.0)
    assert lived.state.house.lone.noise, "but not for more than a day"


def test_a_home_with_one_sensor_may_be_lived_in_as_by_a_clock_but_not_by_night() -> None:
    rules = replace(RULES, sensors={KITCHEN: Sensor(Sense.MOTION), FRONT: RULES.sensors[FRONT]})
    lived = Lived(rules).door(0.1)
    for day in range(8):
        lived.live(day, every((30,), 6.0, 16.0))
    assert lived.kinds == []
    assert lived.state.faults == {}
    lived.live(8, every((30,), 6.0, 50.0))
    assert lived.kinds
    assert f"{KITCHEN}:noisy" in lived.state.faults


def test_others_that_are_broken_have_nothing_to_say() -> None:
    lived = morning(settled())
    for device in (LIVING, BATH):
        lived.take(DriverFailed(lived.at, device, "gone"))
    pulsed(lived, MIXED, 9.0)
    assert f"{KITCHEN}:noisy" not in lived.state.faults


def test_a_sensor_that_pulses_while_somebody_moves_all_the_time_is_none() -> None:
    """Sensors that save their battery tell of motion every few minutes, and evenly."""
    lived = pulsed(morning(settled()), (10,), 4.0)
    assert not lived.state.house.lone.noise


def test_who_goes_to_a_heater_that_is_known_is_seen_there() -> None:
    lived = pulsed(morning(settled()), (20,), 4.0)
    lived.move(LIVING, lived.at / HOUR + 0.1)
    assert lived.state.faults, "it is remembered"
    lived.move(KITCHEN, lived.at / HOUR + 0.05)
    assert lived.state.house.active_by == KITCHEN
    lived.move(KITCHEN, lived.at / HOUR + 0.5)
    assert lived.state.house.active_at > lived.at - 3.0


def test_the_fault_is_over_after_a_day_without_noise_and_outlasts_a_restart() -> None:
    lived = pulsed(morning(settled()), (20,), 4.0)
    fault = f"{KITCHEN}:{FaultKind.NOISY}"
    lived.move(LIVING, lived.at / HOUR + 0.1)
    hour = lived.at / HOUR
    lived.state = msgspec.msgpack.decode(msgspec.msgpack.encode(lived.state), type=HomeState)
    lived.start(hour + 1.0)
    assert fault in lived.until(hour + 24.5).state.faults
    assert fault not in lived.until(hour + 25.1).state.faults
    assert lived.state.house.noisy == {}


def test_a_run_goes_on_over_a_restart() -> None:
    lived = pulsed(morning(settled()), (20,), 4.0)
    lone, hour = lived.state.house.lone, lived.at / HOUR
    lived.start(hour)
    again = lived.state.house.lone
    assert (again.device, again.noise, again.pulses) == (KITCHEN, True, ())
    assert again.last_at - again.since == pytest.approx(lone.last_at - lone.since)
    lived.move(KITCHEN, hour + 0.3)
    assert last_life(lived.state, lived.at, RULES) == pytest.approx(again.since, abs=STEP_S)


def test_what_a_noisy_sensor_does_not_see_weighs_nothing() -> None:
    lived = settled()
    whole = quiet.believed(lived.state, RULES)
    part = quiet.believed(lived.state, RULES, but=KITCHEN)
    assert 0.3 < part < 0.7 < whole == pytest.approx(1.0)
    later, sooner = morning(settled()), morning(settled())
    lone = replace(later.state.house.lone, device=KITCHEN, noise=True)
    later.state = replace(later.state, house=replace(later.state.house, lone=lone))
    hours = []
    for one in (sooner, later):
        one.until(NOON + 13.0)
        assert one.kinds
        hours.append(one.alarms[0].at / HOUR)
    assert hours[1] > hours[0] + 0.5


def test_a_quiet_of_which_pulses_were_dismissed_teaches_nothing() -> None:
    lived = pulsed(morning(settled()), (20,), 6.0)
    habits = lived.state.habits
    lived.move(LIVING, lived.at / HOUR + 0.1)
    assert (lived.state.habits.ends, lived.state.habits.peak) == (habits.ends, habits.peak)


def test_pulses_close_together_are_one_movement() -> None:
    lived = Lived().move(KITCHEN, 9.0)
    lone = lived.state.house.lone
    lived.move(KITCHEN, 9.0 + MINUTES_H)
    assert lived.state.house.lone == lone
    assert lived.move(KITCHEN, 9.1).state.house.lone.pulses == (9.0 * HOUR, 9.1 * HOUR)


def test_an_echo_of_a_pulse_that_was_dismissed_is_dismissed() -> None:
    lived = pulsed(morning(settled()), (20,), 4.0)
    seen_at, house = lived.state.house.active_at, lived.state.house
    lived.move(KITCHEN, lived.at / HOUR + 10 / 3600)
    assert lived.state.house.active_at == seen_at
    assert (lived.state.house.lone, lived.state.house.noisy) == (house.lone, house.noisy)


def test_pulses_parted_by_long_pauses_are_somebody_who_comes_now_and_then() -> None:
    lived = morning(settled())
    lived.live(14, [13.7, 15.4, 17.1, 18.8, 20.5, 22.2])
    assert not lived.state.house.lone.noise
    assert lived.state.house.lone.since == lived.state.house.lone.last_at


def test_an_empty_house_with_a_heater_is_empty_for_a_while() -> None:
    lived = morning(settled()).door(NOON + 0.1).until(NOON + 0.5)
    seen = lived.state.house.active_at
    for n in range(BLIPS - 1):
        lived.move(KITCHEN, NOON + 1.0 + n * 0.5)
    assert lived.state.house.active_at == seen


def test_a_dismissed_run_after_the_call_out_leaves_the_rung_as_it_is() -> None:
    lived = pulsed(blind(), (20,), 26.0)
    assert lived.kinds == [Kind.NO_LIFE]
    life_at = lived.state.care.life_at
    pulsed(lived, (20,), 2.0)
    assert lived.state.care.life_at == life_at


def test_the_door_and_the_motion_at_once_are_a_hand() -> None:
    lived = Lived().move(KITCHEN, 9.0).take(ContactChanged(9.1 * HOUR, FRONT, closed=True))
    assert lived.state.house.lone.device == KITCHEN, "a level at start is no hand"
    lived.take(ContactChanged(9.2 * HOUR, FRONT, closed=False))
    assert lived.state.house.lone == Lone()
    lived.take(MotionChanged(9.3 * HOUR, LIVING, active=True))
    assert lived.state.house.lone.device == LIVING


@pytest.mark.parametrize("minutes", [12, 30, 91, 100, 200, 300, 360])
def test_the_24_hours_count_from_the_first_even_pulse_however_long_the_pauses(
    minutes: int,
) -> None:
    """Pauses over `PAUSE_S` restarted the run each time, which delayed the alarm by 24 h."""
    pause_s, first_at = minutes * 60.0, (NOON + 0.3) * HOUR
    lived = pulsed(blind(), (minutes,), 24.0 + noise.KEPT * pause_s / HOUR)
    (raised, *_) = [alarm for alarm in lived.alarms if alarm.kind is Kind.NO_LIFE]
    verdict_at = first_at + (noise.KEPT - 1) * pause_s
    assert raised.at <= max(first_at + DAY, verdict_at) + pause_s + RULES.warn_s
