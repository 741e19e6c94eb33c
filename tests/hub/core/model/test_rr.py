"""Beats: what is real of them, and what they say; neurokit2 and closed forms are the oracles."""

import importlib
import math
import time
from collections.abc import Callable
from random import Random

import neurokit2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.messages import VitalWhy
from hub.core.model import rr
from hub.core.model.rr import Analysis, analyse, artefacts
from tests.hub.core.histories import examples

AF = (612, 934, 701, 1105, 548, 873, 990, 655, 1201, 734, 588, 1042)  # irregularly irregular
SEEDS = range(12)
KINDS = ("ectopic", "missed", "extra", "longshort")
find_theirs = importlib.import_module("neurokit2.signal.signal_fixpeaks")._find_artifacts


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a test's dice


def beating(seed: int, minutes: float = 5.0, noise_ms: float = 10.0) -> list[float]:
    """A heart at rest: breath, a slower wave, a drift and chance."""
    chance, at, beats = dice(seed), 0.0, list[float]()
    mean = chance.uniform(600.0, 1100.0)
    while at < 60.0 * minutes:
        wave = 25.0 * math.sin(0.62 * at) + 18.0 * math.sin(1.5 * at) + 30.0 * math.sin(0.06 * at)
        beats.append(round(mean + wave + chance.gauss(0.0, noise_ms)))
        at += beats[-1] / 1000.0
    return beats


def waves(mean_ms: float, low_ms: float, high_ms: float, s: float = 300.0) -> list[float]:
    """A series of two waves, at 0.1 and 0.25 Hz; its LF/HF is (low/high)²."""
    at, beats = 0.0, list[float]()
    while at < s:
        beats.append(
            mean_ms
            + low_ms * math.sin(2.0 * math.pi * 0.1 * at)
            + high_ms * math.sin(2.0 * math.pi * 0.25 * at)
        )
        at += beats[-1] / 1000.0
    return beats


def missed(beats: list[float], at: int) -> list[float]:
    """One beat is not heard."""
    return [*beats[:at], beats[at] + beats[at + 1], *beats[at + 2 :]]


def extra(beats: list[float], at: int, share: float = 0.45) -> list[float]:
    """A beat is heard that was none."""
    one = beats[at]
    return [*beats[:at], one * share, one * (1.0 - share), *beats[at + 1 :]]


def ectopic(beats: list[float], at: int) -> list[float]:
    """A beat comes early, and the pause after it is long."""
    early = 0.25 * beats[at]
    return [*beats[:at], beats[at] - early, beats[at + 1] + early, *beats[at + 2 :]]


def peaks_of(beats: list[float]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.cumsum([0, *beats]).astype(np.int64)


@pytest.mark.parametrize("seed", SEEDS)
def test_rmssd_and_sdnn_are_those_of_neurokit(seed: int) -> None:
    beats = beating(seed)
    found, theirs = analyse(beats), neurokit2.hrv_time(peaks_of(beats), sampling_rate=1000)
    assert found.usable
    assert found.rmssd_ms == pytest.approx(float(theirs["HRV_RMSSD"].iloc[0]), rel=0.01)
    assert found.sdnn_ms == pytest.approx(float(theirs["HRV_SDNN"].iloc[0]), rel=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_artefacts_are_found_as_neurokits_lipponen_finds_them(seed: int) -> None:
    """It also flags clean beats, since it takes the quartiles of absolute differences."""
    beats = beating(seed)
    for spoil, at in ((missed, 80), (extra, 130), (ectopic, 180), (missed, 230)):
        beats = spoil(beats, at)
    whole = [float(one) for one in np.diff(peaks_of(beats))]
    theirs, _ = find_theirs(peaks_of(beats), sampling_rate=1000)
    flagged = {int(i) - 1 for name in KINDS for i in theirs[name]}  # it puts a beat in front
    ours = artefacts(whole)
    assert {*ours.missed, *ours.extra, *ours.ectopic, *ours.odd} <= flagged
    assert set(ours.missed) == {80, 230} == {int(i) - 1 for i in theirs["missed"]}
    assert {130, 131, 180, 181} <= ours.bad
    assert len(ours.bad) <= 8


@pytest.mark.parametrize("mean_ms", [600.0, 750.0, 900.0, 1100.0])
@pytest.mark.parametrize("low_ms", [10.0, 30.0])
@pytest.mark.parametrize("low_to_high", [0.5, 1.0, 1.5])
def test_lf_hf_is_the_closed_form(mean_ms: float, low_ms: float, low_to_high: float) -> None:
    found = analyse(waves(mean_ms, low_ms, low_ms / low_to_high))
    assert found.usable
    assert found.lf_hf == pytest.approx(low_to_high**2, rel=0.01)


def test_a_short_series_has_no_spectrum_and_one_without_breath_no_ratio() -> None:
    assert analyse(waves(900.0, 30.0, 20.0, s=110.0)).lf_hf is None
    assert analyse(waves(900.0, 30.0, 20.0, s=130.0)).lf_hf is not None
    assert rr.lf_hf([900.0] * 200, list(range(200))) is None


@pytest.mark.parametrize("spoil", [missed, extra, ectopic])
@pytest.mark.parametrize("seed", SEEDS)
def test_single_artefacts_are_left_out_and_the_share_is_stated(
    spoil: Callable[[list[float], int], list[float]], seed: int
) -> None:
    beats = beating(seed)
    found = analyse(spoil(spoil(beats, 100), 200))
    whole = analyse(beats)
    assert found.usable
    assert 0.97 < found.clean_share < 1.0
    assert found.rmssd_ms == pytest.approx(whole.rmssd_ms, rel=0.05)
    assert found.sdnn_ms == pytest.approx(whole.sdnn_ms, rel=0.05)


def test_too_many_artefacts_make_a_series_unusable() -> None:
    beats = beating(3)
    for n in range(12):
        beats = ectopic(beats, 30 + 20 * n)
    found = analyse(beats)
    assert (found.usable, found.reason) == (False, VitalWhy.NOISY)
    assert found.clean_share < 0.95
    assert (found.stress, found.lf_hf) == (None, None)


@pytest.mark.parametrize("seed", SEEDS)
def test_motion_is_noise(seed: int) -> None:
    chance, beats = dice(seed), beating(seed)
    spoilt = [one * chance.uniform(0.5, 1.9) if chance.random() < 0.2 else one for one in beats]
    found = analyse(spoilt)
    assert (found.usable, found.stress) == (False, None)
    assert found.reason in {VitalWhy.NOISY, VitalWhy.IRREGULAR}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_irregular_rhythm_has_no_stress(seed: int) -> None:
    chance = dice(seed)
    mean, spread = chance.uniform(500.0, 900.0), chance.uniform(0.12, 0.25)
    found = analyse([mean * max(chance.gauss(1.0, spread), 0.45) for _ in range(300)])
    assert (found.usable, found.reason, found.stress) == (False, VitalWhy.IRREGULAR, None)


def test_the_case_of_fibrillation() -> None:
    found = analyse(AF * 6)
    assert (found.usable, found.reason) == (False, VitalWhy.IRREGULAR)


def test_every_second_beat_early_is_no_steady_rhythm() -> None:
    found = analyse([640.0, 1010.0] * 100)
    assert (found.usable, found.reason) == (False, VitalWhy.IRREGULAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deep_breath_is_no_irregular_rhythm(seed: int) -> None:
    chance, at, beats = dice(seed), 0.0, list[float]()
    while at < 300.0:
        beats.append(1000.0 + 130.0 * math.sin(2.0 * math.pi * 0.15 * at) + chance.gauss(0.0, 8.0))
        at += beats[-1] / 1000.0
    assert analyse(beats).usable


def test_a_pulse_in_the_guise_of_beats_has_no_information() -> None:
    same, chance = analyse([1000.0] * 60), dice(1)
    assert (same.usable, same.reason, same.stress) == (False, VitalWhy.FLAT, None)
    assert (same.rmssd_ms, same.sdnn_ms) == (0.0, 0.0)
    by_steps = [60_000.0 / (70 + n // 20 % 5) for n in range(300)]
    by_chance = [round(60_000.0 / chance.randint(66, 80) * 1.024) / 1.024 for _ in range(300)]
    for beats in (by_steps, by_chance):
        assert analyse(beats).reason is VitalWhy.FLAT


def test_the_case_of_alternating_beats() -> None:
    found = analyse([800.0, 850.0] * 50)
    assert found.usable
    assert found.rmssd_ms == pytest.approx(50.0)
    assert found.sdnn_ms == pytest.approx(25.126, abs=0.001)


def test_baevskys_index_is_amo_over_twice_mo_times_range() -> None:
    beats = [910.0] * 60 + [960.0] * 30 + [860.0] * 10
    assert rr.stress(beats) == pytest.approx(60.0 / (2.0 * 0.925 * 0.1))
    assert rr.stress(beats[:99]) is None
    assert rr.stress([900.0] * 200) is None


def test_few_beats_say_nothing() -> None:
    assert analyse([]).reason is VitalWhy.NO_RR
    assert analyse([900.0]).reason is VitalWhy.SHORT
    assert analyse([0.0] * 40).reason is VitalWhy.NOISY
    assert analyse(beating(1)[:29]).reason is VitalWhy.SHORT
    assert analyse(beating(1)[:40]).usable
    assert analyse(beating(1)[:99]).stress is None
    assert analyse(beating(1)[:101]).stress is not None


def test_no_difference_is_taken_across_a_gap_and_what_it_lost_is_stated() -> None:
    beats = beating(4)
    slower = [one + 90.0 for one in beats[150:]]  # meanwhile the resident has sat down
    found = analyse([*beats[:150], *slower], {150: 10_000.0})
    assert found.rmssd_ms == pytest.approx(analyse(beats).rmssd_ms, rel=0.02)
    assert found.clean_share == pytest.approx(300 / (300 + 10_000.0 / 900.0), abs=0.03)
    assert found.artefacts.bad == set()
    assert analyse([*beats[:150], *slower], {150: 60_000.0}).reason is VitalWhy.NOISY
    after = [*beats[:150], 2.0 * beats[150], *beats[151:]]
    assert analyse(after, {150: 1000.0}).artefacts.odd == (150,)


def test_values_that_no_heart_has_do_not_count() -> None:
    beats = beating(5)
    beats[100], beats[200] = 0.0, 63_999.0
    found = analyse(beats)
    assert found.artefacts.implausible == (100, 200)
    assert found.usable
    assert found.rmssd_ms == pytest.approx(analyse(beating(5)).rmssd_ms, rel=0.03)


def test_a_wave_that_was_made_coarse_keeps_its_spike_apart() -> None:
    beats = [900.0] * 3 + [940.0]
    spiked = [*beats * 25, 1500.0, *beats * 25]
    assert 100 in artefacts(spiked).bad
    assert artefacts(beats * 50).bad == set()


def test_five_minutes_cost_less_than_50_ms() -> None:
    beats, costs = beating(6), list[float]()
    for _ in range(5):
        began = time.perf_counter()
        analyse(beats)
        costs.append(time.perf_counter() - began)
    assert min(costs) < 0.050


@pytest.mark.parametrize(
    "beats", [[0.0, 0.0, 0.0, 250.0, 250.0], [1e-320, *(800.0 + n % 7 for n in range(60))]]
)
def test_a_band_that_sends_zeros_divides_by_none_of_them(beats: list[float]) -> None:
    assert analyse(beats).beats == len(beats)


def test_beats_of_which_each_stands_behind_a_zero_have_no_step_between_them() -> None:
    """So that the branch does not depend on what the next test happens to make."""
    assert analyse([800.0, 0.0] * 60).jump == 0.0


beat = st.one_of(st.sampled_from([0.0, 250.0, 800.0, 810.0, 1000.0]), st.floats(0.0, 70_000.0))


@examples(60)
@given(
    st.lists(beat, max_size=140),
    st.dictionaries(st.integers(0, 140), st.floats(0.0, 1e5), max_size=3),
)
def test_whatever_a_band_sends_is_judged(beats: list[float], gaps: dict[int, float]) -> None:
    found = analyse(beats, gaps)
    assert isinstance(found, Analysis)
    assert 0.0 <= found.clean_share <= 1.0
    assert found.usable == (found.reason is None)
    assert found.usable or (found.stress, found.lf_hf) == (None, None)
