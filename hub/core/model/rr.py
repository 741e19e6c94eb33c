"""The times between heartbeats: which of them are real, and what they say.

    beats --implausible, ectopic, missed, extra, odd--> clean beats --> RMSSD, SDNN, LF/HF, stress
      '--too few: short | the pulse in disguise: flat | no steady rhythm: irregular | too many bad:
         noisy--> not usable, and no stress

Artefacts are found as Lipponen and Tarvainen do (J Med Eng Technol 2019, 43:173-181). Their 5.2
quartile deviations of the differences hold 99.95 % of normal beats, as they say, where the sign is
kept; neurokit2 takes absolute differences, and calls up to 3 % of a clean series artefacts.
Artefacts are left out, not replaced: a difference counts only between two clean neighbours. All
times are in ms. Nothing here is a diagnosis.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import VitalWhy

ALPHA, C1, C2, WINDOW, MEDIAN_OF = 5.2, 0.13, 0.17, 91, 11  # Lipponen, Tarvainen 2019
SHORTEST_MS, LONGEST_MS, MOST_MS = 250.0, 2500.0, 5000.0  # 240 to 24 beats a minute
JUMP = 0.2  # of the interval: the limit where all differences are alike (Malik 1989)
LEAST_BEATS = 30  # Munoz 2015 (PLoS ONE 10:e0138921): RMSSD and SDNN of 30 s still agree
LEAST_CLEAN = 0.95  # Kubios, Peltola 2012: up to 5 % of the beats may be mended
SAME_SHARE = 0.5  # of neighbours that are equal to the millisecond: no beat-to-beat information
GRID_SHARE, GRID_MS, GRID_BPM = 0.95, 1.0, 110.0  # whole bpm lie >= 5 ms apart up to 110 bpm
IRREGULAR, TURNS = 0.1, 0.54  # Dash, Chon 2009 (Ann Biomed Eng 37:1701-1709): RMSSD/mean, turns
NORMAL_MAD = 1.4826  # standard deviation / median absolute deviation, of a normal distribution
# Baevsky, Berseneva 2008: AMo / (2 Mo MxDMn), histogram of 50 ms from 0, of 100 beats or more
BIN_MS, STRESS_BEATS = 50.0, 100
LF_HZ, HF_HZ = (0.04, 0.15), (0.15, 0.4)  # Task Force 1996 (Circulation 93:1043-1065)
SPECTRUM_MS = 120_000.0  # Task Force 1996: LF needs about 2 min
NO_GAPS: Mapping[int, float] = {}


class Artefacts(Struct, frozen=True):
    """The beats that are not clean, by the index of their interval; an interval may be in two."""

    implausible: tuple[int, ...] = ()
    ectopic: tuple[int, ...] = ()  # the second of the two intervals, as in the paper
    missed: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()  # the first of the two intervals
    odd: tuple[int, ...] = ()  # too long or too short

    @property
    def bad(self) -> set[int]:
        """The intervals that do not count."""
        pairs = {i + off for i in self.ectopic for off in (-1, 0)}
        pairs |= {i + off for i in self.extra for off in (0, 1)}
        return pairs.union(self.implausible, self.missed, self.odd)


class Analysis(Struct, frozen=True):
    """What a series of beats says; `stress` and `lf_hf` only where it is `usable`.

    `clean_share`: clean beats of those that were heard or lost in gaps. `stress` is Baevsky's index
    in 1/s². `turns`: the share of turning points; `jump`: RMSSD over the mean interval.
    """

    usable: bool = False
    reason: VitalWhy | None = None
    beats: int = 0
    clean_share: float = 0.0
    mean_ms: float | None = None
    rmssd_ms: float | None = None
    sdnn_ms: float | None = None
    lf_hf: float | None = None
    stress: float | None = None
    turns: float = 0.0
    jump: float = 0.0
    artefacts: Artefacts = Artefacts()


def analyse(rr_ms: Sequence[float], gaps_ms: Mapping[int, float] = NO_GAPS) -> Analysis:
    """Return what the beats say. `gaps_ms`: how much was lost before the interval of that index.

    A series of 5 minutes costs some 10 ms.
    """
    if not rr_ms:
        return Analysis(reason=VitalWhy.NO_RR)
    found = artefacts(rr_ms, gaps_ms)
    bad = found.bad
    clean = [i for i in range(len(rr_ms)) if i not in bad]
    if len(clean) < 2:  # noqa: PLR2004
        short = len(rr_ms) < LEAST_BEATS
        why = VitalWhy.SHORT if short else VitalWhy.NOISY
        return Analysis(reason=why, beats=len(rr_ms), artefacts=found)
    kept = [rr_ms[i] for i in clean]
    mean = sum(kept) / len(kept)
    steps = _steps(rr_ms, clean, gaps_ms)
    rmssd = math.sqrt(sum(d * d for d in steps) / len(steps)) if steps else None
    lost = sum(gaps_ms.values()) / mean
    seen = Analysis(
        beats=len(rr_ms),
        clean_share=len(kept) / (len(rr_ms) + lost),
        mean_ms=mean,
        rmssd_ms=rmssd,
        sdnn_ms=math.sqrt(sum((one - mean) ** 2 for one in kept) / (len(kept) - 1)),
        turns=_turns(rr_ms, clean, gaps_ms),
        jump=max(_robust_jump(rr_ms, gaps_ms), (rmssd or 0.0) / mean),
        artefacts=found,
    )
    return _judged(seen, rr_ms, gaps_ms, clean)


def artefacts(rr_ms: Sequence[float], gaps_ms: Mapping[int, float] = NO_GAPS) -> Artefacts:
    """Return the beats that are not clean."""
    implausible = tuple(i for i, one in enumerate(rr_ms) if not _is_plausible(one))
    bounded = [min(max(one, 0.0), MOST_MS) for one in rr_ms]
    return Artefacts(implausible, *map(tuple, _classified(bounded, gaps_ms)))


class _Series(Struct):
    """The series of the paper: dRR and mRR, each by its threshold, and what they are made of."""

    rr: list[float]
    drr: list[float]
    mrr: list[float]
    medians: list[float]
    widths: list[float]  # the threshold of mRR


def _classified(rr: list[float], gaps_ms: Mapping[int, float]) -> tuple[list[int], ...]:
    """Return the indices of ectopic, missed, extra and odd beats (figure 1 of the paper)."""
    series = _series(rr, gaps_ms)
    ectopic, missed, extra, odd = list[int](), list[int](), list[int](), list[int]()
    found = {"missed": missed, "extra": extra, "odd": odd, "": list[int]()}
    i = 0
    while i < len(rr):
        drr = series.drr[i]
        i += 1
        if abs(drr) <= 1.0 and i - 1 not in gaps_ms:
            continue
        if abs(drr) > 1.0 and _is_ectopic(series.drr, i - 1):
            ectopic.append(i - 1)
            continue
        found[_kind_of_long_or_short(series, i - 1)].append(i - 1)
        if i < len(rr) and abs(series.drr[i]) < abs(_at(series.drr, i + 1)):
            found[_kind_of_long_or_short(series, i)].append(i)  # it belongs to the same artefact
            i += 1
    return ectopic, missed, extra, odd


def _series(rr: list[float], gaps_ms: Mapping[int, float]) -> _Series:
    """Return the series; a difference across a gap says nothing."""
    drr = [0.0, *(0.0 if n in gaps_ms else rr[n] - rr[n - 1] for n in range(1, len(rr)))]
    half = MEDIAN_OF // 2
    medians = [median(rr[max(n - half, 0) : n + half + 1]) for n in range(len(rr))]
    mrr = [one - mid for one, mid in zip(rr, medians, strict=True)]
    mrr = [2.0 * one if one < 0.0 else one for one in mrr]
    jumps = _thresholds(drr, medians)
    widths = _thresholds([abs(one) for one in mrr], medians)
    return _Series(
        rr,
        [one / width for one, width in zip(drr, jumps, strict=True)],
        [one / width for one, width in zip(mrr, widths, strict=True)],
        medians,
        widths,
    )


def _thresholds(series: list[float], medians: list[float]) -> list[float]:
    """Return `ALPHA` quartile deviations of the values around each place.

    Where these do not differ at all, as in a series that was made coarse, it is `JUMP`.
    """
    half, found, window = WINDOW // 2, list[float](), list[float]()
    for one in series[:half]:
        insort(window, one)
    for n, mid in enumerate(medians):
        if n + half < len(series):
            insort(window, series[n + half])
        if n > half:
            del window[bisect_left(window, series[n - half - 1])]
        width = ALPHA * (_quantile(window, 0.75) - _quantile(window, 0.25)) / 2.0
        found.append(width if width > 0.0 else JUMP * max(mid, SHORTEST_MS))
    return found


def median(values: Iterable[float]) -> float:
    """Return the middle of some values, without `statistics` and all that it imports."""
    return _quantile(sorted(values), 0.5)


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _at(series: list[float], n: int) -> float:
    """Return the value at `n`; beyond the ends the series is mirrored."""
    n = abs(n)
    return series[max(2 * (len(series) - 1) - n, 0)] if n >= len(series) else series[n]


def _is_ectopic(drr: list[float], n: int) -> bool:
    """Whether the difference has both neighbours against it (subspace S12 of the paper)."""
    sides = _at(drr, n - 1), _at(drr, n + 1)
    if drr[n] > 0.0:
        return max(sides) < -C1 * drr[n] - C2
    return min(sides) > -C1 * drr[n] + C2


def _kind_of_long_or_short(series: _Series, n: int) -> str:
    """Return what a long or short interval is (subspaces S21 and S22); empty: it is normal."""
    drr, after = series.drr[n], (_at(series.drr, n + 1), _at(series.drr, n + 2))
    long = drr > 1.0 and min(after) < -1.0
    short = drr < -1.0 and max(after) > 1.0
    if not (long or short or abs(series.mrr[n]) > 3.0):  # noqa: PLR2004
        return ""
    rr, mid, width = series.rr[n], series.medians[n], series.widths[n]
    follows = series.rr[n + 1] if n + 1 < len(series.rr) else 0.0
    if short and abs(rr + follows - mid) < width:
        return "extra"
    if long and abs(rr / 2.0 - mid) < width:
        return "missed"
    return "odd"


def _judged(
    seen: Analysis, rr_ms: Sequence[float], gaps_ms: Mapping[int, float], clean: list[int]
) -> Analysis:
    """Say whether the series may be used, and if so its stress and spectrum."""
    reason = _reason_against(seen, rr_ms, gaps_ms)
    if reason:
        return replace(seen, reason=reason)
    return replace(
        seen,
        usable=True,
        lf_hf=lf_hf(rr_ms, clean, gaps_ms),
        stress=stress([rr_ms[i] for i in clean]),
    )


def _reason_against(
    seen: Analysis, rr_ms: Sequence[float], gaps_ms: Mapping[int, float]
) -> VitalWhy | None:
    if seen.beats < LEAST_BEATS:
        return VitalWhy.SHORT
    if _is_flat(rr_ms, gaps_ms):
        return VitalWhy.FLAT
    if seen.jump > IRREGULAR and seen.turns >= TURNS:
        return VitalWhy.IRREGULAR
    return VitalWhy.NOISY if seen.clean_share < LEAST_CLEAN else None


def _is_flat(rr_ms: Sequence[float], gaps_ms: Mapping[int, float]) -> bool:
    """Whether the band makes its intervals from the pulse: 60000 / bpm, and the same again."""
    steps = [rr_ms[i] - rr_ms[i - 1] for i in range(1, len(rr_ms)) if i not in gaps_ms]
    same = sum(abs(step) < 0.5 for step in steps)  # noqa: PLR2004
    if same >= SAME_SHARE * len(steps):
        return True
    bpm = [60_000.0 / one for one in rr_ms if _is_plausible(one)]
    on_grid = sum(abs(60_000.0 / round(one) - 60_000.0 / one) <= GRID_MS for one in bpm
                  if one >= 1.0)  # fmt: skip
    return on_grid >= GRID_SHARE * len(rr_ms) and median(bpm) < GRID_BPM


def _steps(rr_ms: Sequence[float], clean: list[int], gaps_ms: Mapping[int, float]) -> list[float]:
    return [
        rr_ms[i] - rr_ms[last] for last, i in pairwise(clean) if i - last == 1 and i not in gaps_ms
    ]


def _turns(rr_ms: Sequence[float], clean: list[int], gaps_ms: Mapping[int, float]) -> float:
    """Return the share of turning points; of a random series two thirds, of a slow wave few."""
    whole = [i for first, i, last in zip(clean, clean[1:], clean[2:], strict=False)
             if last - first == 2 and i not in gaps_ms and last not in gaps_ms]  # fmt: skip  # noqa: PLR2004
    turns = sum((rr_ms[i] - rr_ms[i - 1]) * (rr_ms[i + 1] - rr_ms[i]) < 0.0 for i in whole)
    return turns / len(whole) if whole else 0.0


def _robust_jump(rr_ms: Sequence[float], gaps_ms: Mapping[int, float]) -> float:
    """Return RMSSD over the interval, of all beats; noise on every fourth beat does not raise it.

    It is the lesser of what the median and what the squares of the differences say.
    """
    steps = [
        abs(rr_ms[i] - rr_ms[i - 1])
        for i in range(1, len(rr_ms))
        if i not in gaps_ms and _is_plausible(rr_ms[i]) and _is_plausible(rr_ms[i - 1])
    ]
    if not steps:
        return 0.0
    by_squares = math.sqrt(sum(step * step for step in steps) / len(steps))
    typical = median(one for one in rr_ms if _is_plausible(one))
    return min(NORMAL_MAD * median(steps), by_squares) / typical


def _is_plausible(one: float) -> bool:
    return SHORTEST_MS <= one <= LONGEST_MS


def stress(kept: Sequence[float]) -> float | None:
    """Return Baevsky's index of clean beats, in 1/s²; None: too few, or all the same.

    AMo is the share of the fullest bin in %, Mo its middle, MxDMn the range, both in s.
    """
    if len(kept) < STRESS_BEATS or max(kept) == min(kept):
        return None
    bins: dict[int, int] = {}
    for one in kept:
        place = int(one // BIN_MS)
        bins[place] = bins.get(place, 0) + 1
    mode = max(bins, key=lambda place: (bins[place], -place))
    share_pct = 100.0 * bins[mode] / len(kept)
    mode_s, range_s = (mode + 0.5) * BIN_MS / 1000.0, (max(kept) - min(kept)) / 1000.0
    return share_pct / (2.0 * mode_s * range_s)


def lf_hf(
    rr_ms: Sequence[float], clean: list[int], gaps_ms: Mapping[int, float] = NO_GAPS
) -> float | None:
    """Return the power between 0.04 and 0.15 Hz over that between 0.15 and 0.4 Hz.

    The Fourier integral is taken over the clean beats where they are in time, each weighted by half
    the time to its two neighbours, after a straight line is taken off and under Hann's window. No
    resampling: interpolation between beats damps HF, and so raises the ratio by some 3 %.
    """
    times, values = _signal(rr_ms, clean, gaps_ms)
    span_s = times[-1] - times[0]
    if 1000.0 * span_s < SPECTRUM_MS:
        return None
    low = _power(times, values, LF_HZ)
    high = _power(times, values, HF_HZ)
    return low / high if high > 0.0 else None


def _signal(
    rr_ms: Sequence[float], clean: list[int], gaps_ms: Mapping[int, float]
) -> tuple[list[float], list[float]]:
    """Return the middle of each clean interval in s, and its value, weighted and without trend."""
    kept, at = set(clean), 0.0
    times, values = list[float](), list[float]()
    for i, one in enumerate(rr_ms):
        at += gaps_ms.get(i, 0.0)
        if i in kept:
            times.append((at + one / 2.0) / 1000.0)
            values.append(one)
        at += min(max(one, 0.0), MOST_MS)
    mid_t, mid_v = sum(times) / len(times), sum(values) / len(values)
    slope = sum((t - mid_t) * (v - mid_v) for t, v in zip(times, values, strict=True))
    slope /= sum((t - mid_t) ** 2 for t in times)
    first, span_s = times[0], times[-1] - times[0]
    weighted = []
    for n, (t, v) in enumerate(zip(times, values, strict=True)):
        before, after = times[max(n - 1, 0)], times[min(n + 1, len(times) - 1)]
        hann = 0.5 - 0.5 * math.cos(2.0 * math.pi * (t - first) / span_s)
        weighted.append((v - mid_v - slope * (t - mid_t)) * hann * (after - before) / 2.0)
    return times, weighted


def _power(times: list[float], weighted: list[float], band_hz: tuple[float, float]) -> float:
    """Return the power in a band, at steps of one over the span; the same unit for each band."""
    step_hz = 1.0 / (times[-1] - times[0])
    first = math.ceil(band_hz[0] / step_hz)
    count = math.ceil(band_hz[1] / step_hz) - first
    turn = -2.0 * math.pi * step_hz
    now = [v * complex(math.cos(turn * first * t), math.sin(turn * first * t))
           for t, v in zip(times, weighted, strict=True)]  # fmt: skip
    by = [complex(math.cos(turn * t), math.sin(turn * t)) for t in times]
    power = 0.0
    for _ in range(count):
        power += abs(sum(now)) ** 2
        now = [one * step for one, step in zip(now, by, strict=True)]
    return power
