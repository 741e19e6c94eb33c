"""Summaries, and stress: only of clean beats at rest, against the person's own."""

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Vital, VitalKind, VitalLevel, VitalLimits, Vitals, VitalWhy
from hub.contract.voice import Meaning, Phrase
from hub.core import late
from hub.core.decide import recover
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import BatteryMeasured, HeartRateMeasured, Started
from hub.core.model.state import HomeState
from hub.core.model.vitals import Day, Usual
from hub.core.vitals import restart, usual
from tests.hub.core.vitals.scenes import (
    BAND,
    DAY,
    EIGHT,
    HOUR,
    KITCHEN,
    LIVING,
    MINUTE,
    RULES,
    STRAP,
    Worn,
    beats,
    dice,
)

QUARTER = 15 * MINUTE
AF = (612, 934, 701, 1105, 548, 873, 990, 655, 1201, 734, 588, 1042)


def last(home: Worn, kind: VitalKind) -> Vital:
    return home.entries(kind)[-1]


def resting(home: Worn, s: float = QUARTER + 10.0, bpm: float = 66.0) -> Worn:
    return home.beat(bpm, s, rr=True)


def test_every_quarter_of_an_hour_what_was_felt_is_summed_up() -> None:
    home = Worn()
    home.take(BatteryMeasured(home.at + 1.0, BAND, 61.0))
    home.beat(70.0, 8 * MINUTE).wait(2 * MINUTE).beat(90.0, 6 * MINUTE)
    (told,) = home.vitals
    assert told.to_utc - told.from_utc == QUARTER
    pulse = last(home, VitalKind.PULSE)
    assert (pulse.least, pulse.most, pulse.device) == (69.0, 91.0, BAND)
    assert pulse.value == pytest.approx(77.5, abs=1.5)
    assert last(home, VitalKind.WORN).value == pytest.approx(0.86, abs=0.02)
    assert last(home, VitalKind.BATTERY).value == 61.0
    rest = last(home, VitalKind.RESTING_PULSE)
    assert (rest.usual, rest.level, rest.why) == (None, None, VitalWhy.LEARNING)
    home.wait(HOUR)
    assert len(home.vitals) == 1 + 1, "the rest, and then nothing"


def test_a_band_that_was_not_worn_is_left_out() -> None:
    home = Worn().beat(70.0, QUARTER + 10.0).wait(QUARTER).beat(70.0, QUARTER + 10.0, STRAP)
    assert {one.device for one in home.vitals[-1].entries} == {STRAP}


def test_a_band_that_was_taken_off_the_list_is_forgotten_but_not_while_there_is_no_list() -> None:
    home = Worn().beat(70.0, 5 * MINUTE)
    sensors = {d: s for d, s in RULES.sensors.items() if d != BAND}
    home.rules = replace(RULES, sensors=sensors, listed=False)
    home.wait(QUARTER)
    assert BAND in home.state.vitals.bands
    home.rules = RULES
    home.beat(70.0, 5 * MINUTE)
    home.rules = replace(RULES, sensors=sensors, listed=True)
    home.wait(QUARTER)
    assert BAND not in home.state.vitals.bands


def test_it_goes_as_telemetry_on_a_topic_of_its_own() -> None:
    home = resting(Worn())
    (told,) = [e for e in home.effects if isinstance(e, Publish) and "vitals" in e.topic]
    assert (told.lane, told.topic, told.retain) == (Lane.TELEMETRY, "anbu/1/js-0001/vitals", False)


def test_a_band_without_beats_has_no_stress() -> None:
    home = Worn().beat(70.0, QUARTER + 10.0)
    assert last(home, VitalKind.STRESS).why is VitalWhy.NO_RR
    assert not home.entries(VitalKind.RMSSD)


def test_clean_beats_at_rest_give_stress_and_its_share() -> None:
    home = resting(Worn().wait(6 * MINUTE))
    stress = last(home, VitalKind.STRESS)
    assert stress.value is not None
    assert stress.value > 0.0
    assert (stress.why, stress.usual, stress.level) == (VitalWhy.LEARNING, None, None)
    assert stress.clean_share == pytest.approx(1.0, abs=0.02)
    assert 600 < stress.n < 1000
    rmssd, sdnn = last(home, VitalKind.RMSSD), last(home, VitalKind.SDNN)
    assert rmssd.value == pytest.approx(20.0, abs=3.0)
    assert sdnn.value == pytest.approx(14.0, abs=3.0)
    assert last(home, VitalKind.LF_HF).value


def test_a_heart_that_fibrillates_has_no_stress_and_nothing_is_asked() -> None:
    home, n = Worn().wait(6 * MINUTE), 0
    while home.at < 35 * MINUTE:
        told = tuple(float(AF[(n + k) % 12]) for k in range(6))
        n += 6
        home.take(HeartRateMeasured(home.at + sum(told) / 1000.0, BAND, 73.0, told, worn=True))
    stress = last(home, VitalKind.STRESS)
    assert (stress.value, stress.why) == (None, VitalWhy.IRREGULAR)
    assert stress.clean_share is not None
    assert not home.entries(VitalKind.RMSSD)
    assert home.calm()


def test_noise_and_made_up_beats_are_named() -> None:
    chance, noisy = dice(1), Worn().wait(6 * MINUTE)
    flat = Worn().wait(6 * MINUTE)
    for n in range(200):
        told = [one * (chance.uniform(0.5, 1.9) if chance.random() < 0.12 else 1.0)
                for one in beats(66.0, 5.0, n)]  # fmt: skip
        at = noisy.at + sum(told) / 1000.0
        noisy.take(HeartRateMeasured(at, BAND, 66.0, tuple(told), worn=True))
        flat.take(HeartRateMeasured(flat.at + 5.0, BAND, 60.0, (1000.0,) * 5, worn=True))
    assert last(noisy, VitalKind.STRESS).why in {VitalWhy.NOISY, VitalWhy.IRREGULAR}
    assert last(flat, VitalKind.STRESS).why is VitalWhy.FLAT


def test_who_moves_about_has_no_stress() -> None:
    home = Worn()
    for _ in range(9):
        home.move(KITCHEN).move(LIVING)
        resting(home, 2 * MINUTE)
    assert last(home, VitalKind.STRESS).why is VitalWhy.NO_REST


def test_a_short_rest_has_no_stress() -> None:
    home = resting(Worn().wait(6 * MINUTE), 3 * MINUTE).wait(QUARTER)
    assert last(home, VitalKind.STRESS).why is VitalWhy.SHORT


def test_a_band_that_is_taken_off_begins_its_beats_anew() -> None:
    home = Worn().wait(6 * MINUTE)
    for _ in range(4):
        resting(home, 4 * MINUTE).beat(0.0, 20.0, worn=False)
    assert not home.entries(VitalKind.RMSSD)
    assert home.state.beats == {}


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (VitalLimits(pacemaker=True), VitalWhy.PACEMAKER),
        (VitalLimits(irregular=True), VitalWhy.IRREGULAR),
    ],
)
def test_with_a_pacemaker_or_a_known_irregular_rhythm_there_is_no_stress(
    limits: VitalLimits, why: VitalWhy
) -> None:
    home = resting(Worn().limit(limits).wait(6 * MINUTE))
    assert [one.why for one in home.entries(VitalKind.STRESS)] == [why]
    assert not home.entries(VitalKind.RMSSD)
    assert home.state.beats == {}


def test_who_does_not_want_it_has_none_and_nothing_is_kept() -> None:
    home = resting(Worn().wait(6 * MINUTE), 4 * MINUTE)
    assert home.state.beats
    home.limit(VitalLimits(stress=False))
    assert home.state.beats == {}
    resting(home)
    assert not home.entries(VitalKind.STRESS)
    assert home.state.beats == {}
    assert home.entries(VitalKind.PULSE)


def test_a_gap_between_notifications_is_found_by_time() -> None:
    home = Worn().wait(6 * MINUTE)
    for _ in range(4):
        resting(home, 2 * MINUTE).wait(20.0)
    assert last(resting(home), VitalKind.STRESS).clean_share is not None
    worst = Worn().wait(6 * MINUTE)
    for _ in range(40):
        resting(worst, 20.0).wait(10.0)
    assert worst.entries(VitalKind.STRESS)[0].why is VitalWhy.NOISY


def test_beats_that_come_late_and_all_at_once_are_no_gap() -> None:
    home = Worn().wait(6 * MINUTE)
    for n in range(240):
        told = beats(66.0, 5.0, n)
        at = home.at + (7.0 if n % 2 else 3.0)
        home.take(HeartRateMeasured(at, BAND, 66.0, told, worn=True))
    assert last(home, VitalKind.STRESS).clean_share == pytest.approx(1.0, abs=0.02)


def test_more_beats_than_a_window_holds_are_judged() -> None:
    home = Worn().wait(6 * MINUTE)
    for _ in range(220):
        home.take(HeartRateMeasured(home.at + 5.0, BAND, 70.0, (200.0,) * 10, worn=True))
    assert len(home.state.beats.get(BAND, usual).rr_ms if home.state.beats else ()) <= 1500
    assert last(home, VitalKind.STRESS).value is None


def learned(values: float, days: int = 6) -> Usual:
    found = Usual()
    for day in range(days):
        found = usual.with_stress(found, [values, values * 1.1], 20_000 * DAY + day * DAY)
    return found


def test_stress_is_compared_with_the_persons_own_days() -> None:
    now = 20_000 * DAY + 6 * DAY
    span = usual.of_stress(learned(90.0), now)
    assert span
    assert span.mid == pytest.approx(94.0, abs=1.0)
    assert span.level(95.0) is VitalLevel.USUAL
    assert span.level(140.0) is VitalLevel.HIGHER
    assert span.level(60.0) is VitalLevel.LOWER
    assert usual.of_stress(learned(90.0, days=4), now) is None, "it is still learning"
    assert usual.of_stress(learned(90.0, days=6), now - DAY), "five days before this one"
    assert usual.of_stress(learned(90.0, days=5), now - 2 * DAY) is None, "today does not count"


def test_a_baseline_that_is_known_is_told_with_the_stress() -> None:
    home = Worn()
    resting(home, MINUTE)
    band = home.state.vitals.bands[BAND]
    day = int(home.state.clock.local(home.at) // DAY)
    days = tuple(Day(day - n, 4, 4 * 2.0) for n in range(1, 8))
    known = replace(band, usual=replace(band.usual, stress=days))
    vitals = replace(home.state.vitals, bands={BAND: known})
    home.state = replace(home.state, vitals=vitals)
    resting(home.wait(6 * MINUTE), 20 * MINUTE)
    stress = last(home, VitalKind.STRESS)
    assert (stress.usual, stress.level, stress.why) == (7.4, VitalLevel.HIGHER, None)
    today = home.state.vitals.bands[BAND].usual.stress[-1]
    assert (today.day, today.n >= 1) == (day, True), "and today is learned"


def test_the_next_resident_is_not_compared_with_who_lived_there() -> None:
    home = Worn()
    for _ in range(4):
        home.beat(64.0, 2 * HOUR, every_s=20.0).wait(DAY - 2 * HOUR)
    home.limit(VitalLimits(low_bpm=45.0, since_utc=10.0))
    assert home.state.vitals.bands[BAND].usual == Usual()
    home.beat(80.0, HOUR)
    rest = last(home, VitalKind.RESTING_PULSE)
    assert (rest.usual, rest.why) == (None, VitalWhy.LEARNING)
    known = home.state.vitals.bands[BAND].usual
    for same in (VitalLimits(since_utc=10.0), VitalLimits(low_bpm=46.0), None):
        home.limit(same)
        assert home.state.vitals.bands[BAND].usual == known, "the same resident, an older centre"


def test_what_the_one_before_answered_silences_nothing_for_the_next() -> None:
    home = Worn().finger(87.0).say(Meaning.FINE).wait(10 * MINUTE)
    home.limit(VitalLimits(since_utc=10.0)).finger(87.0)
    assert home.said.count(Phrase.WARN_OXYGEN) == 2


def test_only_the_last_days_are_kept() -> None:
    found = learned(90.0, days=30)
    assert len(found.stress) == usual.KEPT_DAYS
    again = usual.with_stress(found, [90.0], 20_000 * DAY + 29 * DAY)
    assert again.stress[-1].n == 3


def test_a_pulse_at_rest_is_compared_with_what_is_usual() -> None:
    home = Worn()
    for _ in range(4):
        home.beat(64.0, 2 * HOUR, every_s=20.0).wait(DAY - 2 * HOUR)
    home.beat(64.0, QUARTER + 30.0)
    assert last(home, VitalKind.RESTING_PULSE).level is VitalLevel.USUAL
    home.beat(90.0, 2 * QUARTER)
    rest = last(home, VitalKind.RESTING_PULSE)
    assert (rest.level, rest.why) == (VitalLevel.HIGHER, None)
    assert rest.usual == pytest.approx(64.0, abs=4.0)
    home.beat(48.0, 2 * QUARTER)
    assert last(home, VitalKind.RESTING_PULSE).level is VitalLevel.LOWER


def test_odd_pulses_have_their_place_in_the_histogram() -> None:
    found = Usual()
    for bpm in (20.0, 300.0, 64.0):
        found = usual.with_rest(found, bpm, 20_000 * DAY)
    assert sum(found.rest) == 3.0
    assert usual.of_rest(found) is None
    for day in range(4):
        for _ in range(60):
            found = usual.with_rest(found, 300.0, (20_001 + day) * DAY)
    span = usual.of_rest(found)
    assert span
    assert span.high >= 152.0


def test_without_a_clock_nothing_is_learned() -> None:
    home = Worn()
    home.start(9.0, synced=False)
    for device in (KITCHEN, LIVING):
        home.move(device)
    resting(home.wait(6 * MINUTE), 2 * QUARTER)
    assert home.state.vitals.bands[BAND].usual == Usual()
    assert home.entries(VitalKind.STRESS)
    assert not home.vitals[0].synced


def test_a_snapshot_holds_no_beats_and_stays_small() -> None:
    home = Worn()
    for _ in range(3):
        resting(home, HOUR).wait(DAY - HOUR)
    resting(home, 29 * MINUTE)
    home.beat(130.0, MINUTE, STRAP, rr=True)
    assert len(msgspec.msgpack.encode(home.state.beats)) < 24_000
    raw = msgspec.msgpack.encode(replace(home.state, beats={}))
    assert len(msgspec.msgpack.encode(home.state.vitals)) < 4096
    read = msgspec.msgpack.decode(raw, type=HomeState)
    assert read == replace(home.state, beats={})


def test_no_message_is_too_long_for_the_wire() -> None:
    rules = replace(
        RULES, sensors={**RULES.sensors, **{f"band-{n}": RULES.sensors[BAND] for n in range(60)}}
    )
    home = Worn(rules)
    for n in range(60):
        home.take(HeartRateMeasured(home.at + 0.1, f"band-{n}", 71.0, (845.0,), worn=True))
    home.wait(QUARTER + 1)
    told = [e for e in home.effects if isinstance(e, Publish) and "vitals" in e.topic]
    assert len(told) == 3
    assert all(len(e.payload) <= wire.MAX_BYTES for e in told)
    assert sum(len(one.entries) for one in home.vitals) == 60 * 3


def test_a_disk_that_is_read_late_gives_limits_and_what_is_usual_back() -> None:
    old = resting(Worn().limit(VitalLimits(high_rest_bpm=111.0)), 20 * MINUTE).state
    started = Started(7.0, EIGHT + 2 * HOUR, synced=True, boot="b9")
    new = Worn()
    new.state = recover(HomeState(), started, (), lived_in=True)
    new.at = 7.0
    new.beat(70.0, 3 * MINUTE)
    state, _ = late.joined(recover(old, started, ()), new.state, RULES)
    assert state.limits == VitalLimits(high_rest_bpm=111.0)
    assert state.vitals.bands[BAND].usual == old.vitals.bands[BAND].usual
    assert state.vitals.bands[BAND].live_at == new.state.vitals.bands[BAND].live_at
    again = restart.joined(old.vitals, replace(new.state.vitals, bands={}, from_at=None))
    assert (again.bands, again.from_at) == (old.vitals.bands, old.vitals.from_at)


def test_the_examples_of_the_document_fit_what_is_sent() -> None:
    home = resting(Worn().wait(6 * MINUTE))
    assert isinstance(home.vitals[0], Vitals)
    assert {one.kind for one in home.vitals[0].entries} >= {"pulse", "worn", "stress"}
