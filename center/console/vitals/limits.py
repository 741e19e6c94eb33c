"""The limits of a home's readings: in words, and the form to change them."""

from collections.abc import Mapping
from typing import get_args, get_type_hints

from msgspec import Struct
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.view import Badge, Viewer
from center.console.visit import Visit, acted, field, visited, whole
from center.domain import limits, times
from center.domain.limits import DEFAULTS, Fate, Kept
from center.service import homes, vitals
from center.service.desk import Desk
from center.service.refusals import CONFLICT
from center.service.texts import Texts
from center.service.vitals import NotSetError
from center.store.rows import limits as rows
from center.store.rows import records
from hub.contract.messages import VitalLimits

UNITS = {  # of the numbers, in the order of the form: names in the message files
    "high_rest_bpm": "vital_unit.pulse",
    "high_s": "limits.minutes",
    "low_bpm": "vital_unit.pulse",
    "low_s": "limits.minutes",
    "low_oxygen_pct": "vital_unit.oxygen",
    "high_systolic_mmhg": "vital_unit.pressure",
    "low_systolic_mmhg": "vital_unit.pressure",
    "high_diastolic_mmhg": "vital_unit.pressure",
    "low_diastolic_mmhg": "vital_unit.pressure",
}
BOUNDING = (  # low, high: what lies between is asked about by neither
    ("low_bpm", "high_rest_bpm"),
    ("low_systolic_mmhg", "high_systolic_mmhg"),
    ("low_diastolic_mmhg", "high_diastolic_mmhg"),
)
ORDERED = (  # where both are set
    ("low_diastolic_mmhg", "low_systolic_mmhg"),
    ("high_diastolic_mmhg", "high_systolic_mmhg"),
)
WATCHES = ("watch_pulse", "watch_oxygen", "watch_pressure", "stress")
KNOWN = ("pacemaker", "irregular")
HINTS = ("stress", "pacemaker", "irregular")
YES = "yes"
MINUTE_S = 60.0
DIGITS = 7  # of a number with a point
Typed = Mapping[str, str]
_LOOK = {
    Fate.AT_HUB: ("check", "good"),
    Fate.WAITING: ("clock", "warn"),
    Fate.REFUSED: ("triangle", "bad"),
}


class LimitsView(Struct, frozen=True):
    """The limits in words; `fate` is None where the hub never had others than its defaults."""

    lines: tuple[tuple[str, str], ...]
    by: str
    fate: Badge | None
    lead: str


class Number(Struct, frozen=True):
    """A field of the form: bounds and default in the unit of the form."""

    name: str
    unit: str
    least: str
    most: str
    default: str


def view(kept: Kept, viewer: Viewer) -> LimitsView:
    """Return the limits in words: what differs from the defaults, by whom, and where it stands."""
    t, by = viewer.t, viewer.t("vitals.limits_default")
    if kept.version:
        key = "vitals.limits_by" if kept.changed_by else "vitals.limits_here"
        by = t(key, who=kept.changed_by, time=times.short(kept.changed_utc, viewer.now))
    lines = [
        (t(f"limits.{name}"), f"{shown} {t(unit)}")
        for name, unit in UNITS.items()
        if (shown := _shown(kept.limits, name))
    ]
    lines += [
        (t(f"limits.{name}"), t("limits.yes" if getattr(kept.limits, name) else "limits.no"))
        for name in (*WATCHES, *KNOWN)
        if getattr(kept.limits, name) != getattr(limits.NONE, name)
    ]
    return LimitsView(tuple(lines), by, _fate(kept, viewer), _lead(kept, viewer))


def told(changes: str, t: Texts) -> str:
    """Return in words what the audit says of changed limits, such as `high_s=720 stress=no`."""
    return ", ".join(_told(*change.partition("=")[::2], t) for change in changes.split())


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the form."""
    path = "/homes/{hub}/limits"
    return [visited(path, desk, _read), acted(path, desk, _write)]


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    if await visit.desk.store.ask(records.find, hub) is None:
        return visit.error(404, visit.t("home.not_found"))
    kept = await visit.desk.store.ask(rows.find, hub)
    await homes.note_record_seen(visit.desk, hub, visit.person.name, again=False)
    return _page(visit, kept, typed_of(kept.limits), kept.version)


async def _write(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    form = await visit.request.form()
    typed = {name: field(form, name).strip() for name in (*UNITS, *WATCHES, *KNOWN)}
    version = whole(field(form, "version")) or 0
    wanted, problems = limits_of(typed)
    if problems:
        kept = await visit.desk.store.ask(rows.find, hub)
        return _page(visit, kept, typed, version, problems, status=422)
    try:
        await vitals.set_limits(visit.desk, hub, wanted, visit.person.name, version)
    except NotSetError as error:
        if not error.is_conflict:
            return visit.error(404, visit.t("home.not_found"))
        kept = await visit.desk.store.ask(rows.find, hub)
        return _page(visit, kept, typed, kept.version, status=CONFLICT)
    return RedirectResponse(homes.path(hub, "vitals") + "#limits-title", 303)


def _page(
    visit: Visit,
    kept: Kept,
    typed: Typed,
    version: int,
    problems: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    t, found = visit.t, problems or {}
    problem = t("limits.problems", n=len(found)) if found else ""
    if status == CONFLICT:
        when = times.short(kept.changed_utc, visit.viewer.now)
        key = "limits.stale" if kept.changed_by else "limits.stale_here"
        problem = t(key, who=kept.changed_by, time=when)
    return show(
        visit.request,
        "vitals/limits.html",
        status,
        page=visit.page("limits", t("limits.title"), homes.path(kept.hub, "limits")),
        hub=kept.hub,
        typed=typed,
        version=version,
        problem=problem,
        problems=found,
        numbers=[_number(name, visit) for name in UNITS],
        watches=WATCHES,
        known=KNOWN,
        hints=HINTS,
        yes=YES,
        view=view(kept, visit.viewer),
    )


def typed_of(held: VitalLimits) -> dict[str, str]:
    """Return the form's texts for limits."""
    typed = {name: _shown(held, name) for name in UNITS}
    return typed | {name: YES if getattr(held, name) else "" for name in (*WATCHES, *KNOWN)}


def limits_of(typed: Typed) -> tuple[VitalLimits, dict[str, str]]:
    """Return the limits that were typed, and the problem of each wrong field.

    A problem is a key in the group `limits` of the message files.
    """
    values: dict[str, float | None] = {}
    problems: dict[str, str] = {}
    for name in UNITS:
        text = typed.get(name, "")
        values[name] = _value(name, text)
        if text and values[name] is None:
            problems[name] = "bad_number"
    for low, high in ORDERED:
        problems |= _disorder(values[low], values[high], low)
    for low, high in BOUNDING:  # where one is not set, the hub's own holds
        below = values[low] if typed.get(low) else getattr(DEFAULTS, low)
        above = values[high] if typed.get(high) else getattr(DEFAULTS, high)
        problems |= _disorder(below, above, low if typed.get(low) else high)
    switches = {name: typed.get(name) == YES for name in (*WATCHES, *KNOWN)}
    return VitalLimits(**values, **switches), problems  # type: ignore[arg-type]  # by their names


def _disorder(below: float | None, above: float | None, name: str) -> dict[str, str]:
    wrong = below is not None and above is not None and below >= above
    return {name: "bad_order"} if wrong else {}


def _value(name: str, text: str) -> float | None:
    """Return a number within its field's bounds, in the contract's unit; else None."""
    number = _number_in(text)
    if number is None:
        return None
    value = number * _factor(name)
    least, most = _bounds(name)
    return value if least <= value <= most else None


def _number_in(text: str) -> float | None:
    plain = text.replace(".", "", 1)
    fits = plain.isascii() and plain.isdecimal() and len(text) <= DIGITS
    return float(text) if fits else None


def _shown(held: VitalLimits, name: str) -> str:
    value = getattr(held, name)
    return "" if value is None else f"{value / _factor(name):g}"


def _factor(name: str) -> float:
    return MINUTE_S if UNITS[name] == "limits.minutes" else 1.0


def _bounds(name: str) -> tuple[float, float]:
    """Return the least and the most that the contract allows for a field."""
    hint = get_args(get_type_hints(VitalLimits, include_extras=True)[name])[0]
    _, meta = get_args(hint)
    return float(meta.ge), float(meta.le)


def _number(name: str, visit: Visit) -> Number:
    factor = _factor(name)
    least, most = (f"{end / factor:g}" for end in _bounds(name))
    return Number(name, visit.t(UNITS[name]), least, most, _shown(DEFAULTS, name))


def _told(name: str, value: str, t: Texts) -> str:
    if name in UNITS and (number := _number_in(value)) is not None:
        value = f"{number / _factor(name):g} {t(UNITS[name])}"
    elif name not in UNITS:
        value = t.word("limits", value)
    return f"{t.word('limits', name)}: {value or t('limits.as_default')}"


def _fate(kept: Kept, viewer: Viewer) -> Badge | None:
    if not kept.version:
        return None
    icon, tone = _LOOK.get(kept.fate, ("ring", "warn"))
    return Badge(icon, tone, viewer.t(f"limits_fate.{kept.fate}"))


def _lead(kept: Kept, viewer: Viewer) -> str:
    """Return what an operator should know of limits that are not at the hub."""
    t = viewer.t
    if not kept.version or kept.fate is Fate.AT_HUB:
        return ""
    if limits.is_too_old(kept):
        return t("vitals.too_old_lead")
    if kept.fate is Fate.REFUSED:
        time = times.short(kept.over_utc or kept.changed_utc, viewer.now)
        return t("vitals.refused_lead", time=time, reason=kept.reason)
    if kept.sent_utc is None:
        return t("vitals.waiting_never")
    return t("vitals.waiting_lead", time=times.short(kept.sent_utc, viewer.now))
