"""Which pictures a home's readings make, and what each says in words. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from center.console.lengths import length
from center.console.view import Viewer
from center.console.vitals import chart
from center.console.vitals.chart import Chart, Limit, Plot, Scale
from center.domain import times
from center.domain.limits import NONE
from center.domain.vitals import Point, Window, worn_share
from center.store.rows.vitals import Whys
from hub.contract.messages import VitalKind, VitalLimits, VitalWhy

PULSE, REST, OXYGEN = VitalKind.PULSE, VitalKind.RESTING_PULSE, VitalKind.OXYGEN
SYSTOLIC, DIASTOLIC = VitalKind.SYSTOLIC, VitalKind.DIASTOLIC
STRESS, WORN, TEMPERATURE = VitalKind.STRESS, VitalKind.WORN, VitalKind.TEMPERATURE
SCALES = {  # of a usual body; wider where values lie beyond
    PULSE: (Scale(40.0, 120.0, 20.0), 240.0),
    OXYGEN: (Scale(84.0, 100.0, 4.0), 100.0),
    SYSTOLIC: (Scale(40.0, 200.0, 40.0), 300.0),
    STRESS: (Scale(0.0, 2.0, 0.5), 4.0),
    WORN: (Scale(0.0, 100.0, 50.0), 100.0),
    TEMPERATURE: (Scale(35.0, 38.0, 1.0), 43.0),
}
DIGITS = {TEMPERATURE: 1, STRESS: 1}
Points = dict[VitalKind, tuple[Point, ...]]


class Drawn(Struct, frozen=True):
    """What pictures are made of: readings of a span, limits, and why there is no stress."""

    window: Window
    points: Points
    limits: VitalLimits = NONE
    whys: tuple[Whys, ...] = ()


def draw(drawn: Drawn, viewer: Viewer) -> tuple[Chart, ...]:
    """Return all pictures, the body temperature only where it was measured."""
    made = [_pulse, _oxygen, _pressure, _stress, _worn]
    if drawn.points.get(TEMPERATURE):
        made.append(_temperature)
    return tuple(one(drawn, viewer) for one in made)


def number(kind: VitalKind, value: float) -> str:
    """Write a value as its kind is read: a pulse whole, a temperature with one digit."""
    return f"{value:.{DIGITS.get(kind, 0)}f}"


def _pulse(drawn: Drawn, viewer: Viewer) -> Chart:
    some, rest, t = _of(drawn, PULSE), _of(drawn, REST), viewer.t
    plot = _plot(drawn, PULSE, (*some, *rest))
    made = _begun(PULSE, plot, (*some, *rest), viewer)
    if made.empty:
        return made
    bounds = _limits(plot, drawn.limits.high_rest_bpm, drawn.limits.low_bpm, viewer)
    return replace(
        made,
        says=_says(PULSE, some or rest, plot, viewer),
        gaps=tuple(chart.holes(plot, some, viewer.now)),
        bands=tuple(chart.band(plot, some)),
        lines=tuple(chart.line(plot, some)),
        marks=tuple(chart.shapes(plot, rest, "square")),
        limits=bounds,
        notes=() if drawn.limits.watch_pulse else (t("vitals.watch_off"),),
        legend=_legend(viewer, "mean", "range", "rest", "gap", limit=bounds),
    )


def _oxygen(drawn: Drawn, viewer: Viewer) -> Chart:
    some = _of(drawn, OXYGEN)
    plot = _plot(drawn, OXYGEN, some)
    made = _begun(OXYGEN, plot, some, viewer)
    if made.empty:
        return made
    bounds = _limits(plot, None, drawn.limits.low_oxygen_pct, viewer)
    return replace(
        made,
        says=_says(OXYGEN, some, plot, viewer),
        stems=_stems(plot, ((one, one) for one in some)),
        marks=tuple(chart.shapes(plot, some, "dot")),
        limits=bounds,
        notes=() if drawn.limits.watch_oxygen else (viewer.t("vitals.watch_off"),),
        legend=_legend(viewer, "mean", "range", limit=bounds, dots=True),
    )


def _pressure(drawn: Drawn, viewer: Viewer) -> Chart:
    high, low, t = _of(drawn, SYSTOLIC), _of(drawn, DIASTOLIC), viewer.t
    plot = _plot(drawn, SYSTOLIC, (*high, *low))
    made = _begun(SYSTOLIC, plot, (*high, *low), viewer, "pressure")
    if made.empty:
        return made
    bounds = _limits(
        plot, drawn.limits.high_systolic_mmhg, drawn.limits.low_systolic_mmhg, viewer
    ) + _limits(plot, drawn.limits.high_diastolic_mmhg, drawn.limits.low_diastolic_mmhg, viewer)
    below = {one.slot: one for one in low}
    pairs = ((one, below[one.slot]) for one in high if one.slot in below)
    return replace(
        made,
        says=t("vitals.says_pressure", high=_between(high, viewer), low=_between(low, viewer),
               unit=made.unit),
        stems=tuple((plot.middle(a), plot.y(a.value), plot.y(b.value)) for a, b in pairs),
        marks=(*chart.shapes(plot, high, "down"), *chart.shapes(plot, low, "up")),
        limits=bounds,
        notes=() if drawn.limits.watch_pressure else (t("vitals.watch_off"),),
        legend=_legend(viewer, "high", "low", limit=bounds),
    )  # fmt: skip


def _stress(drawn: Drawn, viewer: Viewer) -> Chart:
    some, t = _of(drawn, STRESS), viewer.t
    plot = _plot(drawn, STRESS, some)
    made = _begun(STRESS, plot, some, viewer)
    if made.empty:
        why = _why(_set(drawn.limits) or (drawn.whys[0].why if drawn.whys else None), viewer)
        return replace(made, empty=t("vitals.stress_none", why=why))
    mean, least, most = _three(some)
    return replace(
        made,
        says=t("vitals.says_stress", mean=f"{mean:.1f}", least=f"{least:.1f}", most=f"{most:.1f}",
               share=_share(some, plot, viewer)),
        gaps=tuple(chart.holes(plot, some, viewer.now)),
        lines=tuple(chart.line(plot, some)),
        limits=(Limit(plot.y(1.0), t("vitals.usual_line"), "usual"),),
        notes=(t("vitals.stress_lead"), *_left_out(drawn, some, viewer)),
        legend=_legend(viewer, "mean", "gap", "usual"),
    )  # fmt: skip


def _worn(drawn: Drawn, viewer: Viewer) -> Chart:
    some = _of(drawn, WORN)
    plot = _plot(drawn, WORN, ())
    made = _begun(WORN, plot, some, viewer)
    if made.empty:
        return made
    held = sum(worn_share(one, plot.window) for one in some) * plot.window.slot_s
    days = len({one.slot * plot.window.slot_s // times.DAY_S for one in some})
    return replace(
        made,
        says=viewer.t("vitals.says_worn", length=length(held / days, viewer.t),
                      share=_share(some, plot, viewer)),
        gaps=tuple(chart.holes(plot, some, viewer.now)),
        bars=tuple(chart.bars(plot, some, lambda one: 100 * worn_share(one, plot.window))),
        legend=_legend(viewer, "worn", "gap"),
    )  # fmt: skip


def _temperature(drawn: Drawn, viewer: Viewer) -> Chart:
    some = _of(drawn, TEMPERATURE)
    plot = _plot(drawn, TEMPERATURE, some)
    return replace(
        _begun(TEMPERATURE, plot, some, viewer),
        says=_says(TEMPERATURE, some, plot, viewer),
        marks=tuple(chart.shapes(plot, some, "dot")),
        legend=_legend(viewer, "mean", dots=True),
    )


def _of(drawn: Drawn, kind: VitalKind) -> tuple[Point, ...]:
    return drawn.points.get(kind, ())


def _plot(drawn: Drawn, kind: VitalKind, some: Sequence[Point]) -> Plot:
    scale, most = SCALES[kind]
    ends = [end for one in some for end in (one.least, one.most)]
    return Plot(drawn.window, chart.fitted(scale, ends, most))


def _begun(
    kind: VitalKind, plot: Plot, some: Sequence[Point], viewer: Viewer, name: str = ""
) -> Chart:
    name = name or kind.value
    title, unit = viewer.t(f"vital.{name}"), viewer.t(f"vital_unit.{name}")
    if not some:
        return Chart(name, title, unit, "", viewer.t("vitals.no_points"))
    ys, xs = tuple(chart.value_ticks(plot)), tuple(chart.time_ticks(plot, viewer))
    mark_r = chart.DENSE_R if plot.window.slots > chart.DENSE else chart.MARK_R
    return Chart(name, title, unit, "", ys=ys, xs=xs, mark_r=mark_r)


def _says(kind: VitalKind, some: Sequence[Point], plot: Plot, viewer: Viewer) -> str:
    mean, least, most = (number(kind, one) for one in _three(some))
    key = "vitals.says" if kind is PULSE else "vitals.says_some"
    unit, share = viewer.t(f"vital_unit.{kind}"), _share(some, plot, viewer)
    return viewer.t(key, mean=mean, least=least, most=most, unit=unit, share=share)


def _three(some: Sequence[Point]) -> tuple[float, float, float]:
    """Return the mean, the lowest and the highest of points."""
    mean = sum(one.value for one in some) / len(some)
    return mean, min(one.least for one in some), max(one.most for one in some)


def _between(some: Sequence[Point], viewer: Viewer) -> str:
    """Return from where to where values reach, in whole numbers; `-` where there are none."""
    if not some:
        return "-"
    _, least, most = (f"{one:.0f}" for one in _three(some))
    return least if least == most else viewer.t("vitals.between", least=least, most=most)


def _share(some: Sequence[Point], plot: Plot, viewer: Viewer) -> str:
    """Return for how many percent of the time up to now there are readings."""
    window = plot.window
    passed = min(window.slots, int((viewer.now - window.start_utc) // window.slot_s) + 1)
    return f"{100 * min(len(some), passed) / max(1, passed):.0f}"


def _limits(plot: Plot, high: float | None, low: float | None, viewer: Viewer) -> tuple[Limit, ...]:
    """Return the lines of limits that were set, and that are within the picture."""
    set_here = (("vitals.limit_high", high), ("vitals.limit_low", low))
    return tuple(
        Limit(plot.y(value), viewer.t(key, n=f"{value:g}"), "limit")
        for key, value in set_here
        if value is not None and plot.scale.low <= value <= plot.scale.high
    )


def _stems(
    plot: Plot, pairs: Iterator[tuple[Point, Point]]
) -> tuple[tuple[float, float, float], ...]:
    return tuple((plot.middle(a), plot.y(a.most), plot.y(b.least)) for a, b in pairs)


def _why(why: VitalWhy | None, viewer: Viewer) -> str:
    return viewer.t(f"vital_why.{why or 'none'}")


def _set(limits: VitalLimits) -> VitalWhy | None:
    """Return the reason that is in the resident's limits, if any."""
    if not limits.stress:
        return VitalWhy.OFF
    if limits.pacemaker:
        return VitalWhy.PACEMAKER
    return VitalWhy.IRREGULAR if limits.irregular else None


def _left_out(drawn: Drawn, some: Sequence[Point], viewer: Viewer) -> tuple[str, ...]:
    out = sum(one.n for one in drawn.whys)
    if not out:
        return ()
    used, why = sum(one.n for one in some), _why(drawn.whys[0].why, viewer)
    return (viewer.t("vitals.stress_left_out", all=used + out, n=out, why=why),)


def _legend(
    viewer: Viewer, *names: str, limit: Sequence[Limit] = (), dots: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return the shapes and their words."""
    some = (*names, "limit") if limit else names
    held = {"mean": "dots" if dots else "mean", "range": "stem" if dots else "range"}
    return tuple((held.get(name, name), viewer.t(f"vitals.legend_{name}")) for name in some)
