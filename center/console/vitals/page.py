"""The page of a home's readings: newest values, trends in pictures, batteries, limits."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.view import Badge, Viewer
from center.console.visit import Visit, visited
from center.console.vitals import card
from center.console.vitals import limits as limits_form
from center.console.vitals.pictures import (
    DIASTOLIC,
    OXYGEN,
    PULSE,
    REST,
    STRESS,
    SYSTOLIC,
    TEMPERATURE,
    WORN,
    Drawn,
    Points,
    draw,
    number,
)
from center.domain import limits as limit_rules
from center.domain import times
from center.domain.record import ConsentItem, Kept
from center.domain.vitals import (
    SPANS,
    USUAL_SPAN,
    Point,
    Reading,
    Span,
    Trend,
    Window,
    by_kind,
    window,
    worn_share,
)
from center.service import homes
from center.service.desk import Desk
from center.store.rows import limits as limit_rows
from center.store.rows import partners, records, vitals
from center.store.rows.vitals import Whys
from hub.contract.messages import VitalKind

LIVE_SLOT_S = 3600  # pictures of longer slots change little: an open page does not fetch them anew
COMPARED = (REST, SYSTOLIC, OXYGEN, VitalKind.RMSSD)
SAME = {REST: 2.0, SYSTOLIC: 5.0, OXYGEN: 1.0, VitalKind.RMSSD: 3.0}  # less is no change
LOW_PCT = 20.0
UNSURE_S = 30 * times.DAY_S


class VitalsLook(Struct, frozen=True):
    """A home's readings: the newest ones, those of a span, and the limits.

    `points` are empty where the page has them already.
    """

    kept: Kept
    window: Window
    limits: limit_rules.Kept
    latest: tuple[Reading, ...] = ()
    points: tuple[Point, ...] = ()
    whys: tuple[Whys, ...] = ()
    trends: tuple[Trend, ...] = ()
    unsure: tuple[Reading, ...] = ()
    subject: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the resident consented to the keeping of readings."""
        return self.kept.record.allows(ConsentItem.VITALS)


class Row(Struct, frozen=True):
    """A slot of the table."""

    when: str
    cells: tuple[str, ...]


class Device(Struct, frozen=True):
    """A device's battery."""

    device: str
    text: str
    when: str
    low: bool


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the readings and of the form of the limits."""
    return [visited("/homes/{hub}/vitals", desk, _read), *limits_form.routes(desk)]


async def _read(visit: Visit) -> Response:
    hub, asked = homes.hub_of(visit.request), visit.request.query_params.get("days", "")
    span = asked if asked in SPANS else USUAL_SPAN
    is_live = SPANS[span].slot_s <= LIVE_SLOT_S
    now, ask = visit.viewer.now, visit.desk.store.ask
    found = await ask(look, hub, now, SPANS[span], pictures=is_live or not visit.bare)
    if found is None:
        return visit.error(404, visit.t("home.not_found"))
    name = found.kept.record.name
    url = address(homes.path(hub, "vitals"), days=span)
    page = visit.page("vitals", f"{visit.t('vitals.title')} · {name or hub}", url)
    await homes.note_record_seen(visit.desk, hub, visit.person.name, again=page.bare)
    subject = found.subject
    if not subject and partners.shares(found.kept.record):
        subject = await visit.desk.store.change(partners.name_subject, hub, now)
    return show(
        visit.request,
        "vitals/page.html",
        page=page,
        hub=hub,
        name=name,
        allowed=found.allowed,
        span=span,
        spans=tuple(SPANS),
        is_live=is_live,
        limits=limits_form.view(found.limits, visit.viewer),
        subject=subject,
        as_of=times.of_day(now),
        **_worded(found, visit.viewer),
    )


def _worded(found: VitalsLook, viewer: Viewer) -> dict[str, Any]:
    shown = by_kind(found.points)
    drawn = Drawn(found.window, shown, found.limits.limits, found.whys)
    batteries = (one for one in found.latest if one.kind is VitalKind.BATTERY)
    return {
        "facts": card.facts(found.latest, viewer),
        "old": card.old(found.latest, viewer),
        "newest": card.newest(found.latest, viewer),
        "charts": draw(drawn, viewer) if shown else (),
        "columns": columns(viewer),
        "rows": rows(shown, found.window, viewer),
        "trends": [told(one, viewer) for one in found.trends],
        "devices": [device(one, viewer) for one in batteries],
        "unsure": [fact for one in found.unsure for fact in card.facts((one,), viewer)],
    }


def look(
    conn: Connection, hub: str, now: float, span: Span, *, pictures: bool = True
) -> VitalsLook | None:
    """Read a home's readings; None where there is no such home. Without consent there are none."""
    kept = records.find(conn, hub)
    if kept is None:
        return None
    shown, set_here = window(span, now), limit_rows.find(conn, hub)
    if not kept.record.allows(ConsentItem.VITALS):
        return VitalsLook(kept, shown, set_here)
    since = shown.start_utc
    return VitalsLook(
        kept,
        shown,
        set_here,
        latest=tuple(vitals.latest(conn, hub, now)),
        points=tuple(vitals.points(conn, hub, shown)) if pictures else (),
        whys=tuple(vitals.whys(conn, hub, STRESS, since)) if pictures else (),
        trends=tuple(vitals.trends(conn, hub, COMPARED, now)),
        unsure=tuple(vitals.unsure(conn, hub, now - UNSURE_S)),
        subject=partners.subject_of(conn, hub) if partners.shares(kept.record) else "",
    )


def told(one: Trend, viewer: Viewer) -> Badge:
    """Return in words how the last week compares with the weeks before; no judgement."""
    diff = one.now - one.usual
    turn = "same" if abs(diff) < SAME[one.kind] else "higher" if diff > 0 else "lower"
    text = viewer.t(
        f"vitals.trend_{turn}",
        what=viewer.t(f"vital.{one.kind}"),
        now=number(one.kind, one.now),
        usual=number(one.kind, one.usual),
        diff=number(one.kind, abs(diff)),
        unit=viewer.t(f"vital_unit.{one.kind}"),
    )
    return Badge({"same": "equal", "higher": "up", "lower": "down"}[turn], "plain", text)


def device(one: Reading, viewer: Viewer) -> Device:
    """Return a device's battery in words."""
    value = one.value or 0.0
    when = viewer.t("vitals.battery_at", time=times.short(one.utc, viewer.now))
    return Device(one.device, f"{value:.0f} %", when, value < LOW_PCT)


def columns(viewer: Viewer) -> tuple[str, ...]:
    """Return the heads of the table."""
    kinds = (PULSE, REST, OXYGEN, "pressure", STRESS, WORN, TEMPERATURE)
    return tuple(f"{viewer.t(f'vital.{k}')} ({viewer.t(f'vital_unit.{k}')})" for k in kinds)


def rows(points: Points, shown: Window, viewer: Viewer) -> list[Row]:
    """Return the slots that have readings, the newest first."""
    held: dict[int, dict[VitalKind, Point]] = {}
    for some in points.values():
        for one in some:
            held.setdefault(one.slot, {})[one.kind] = one
    return [Row(_when(shown, slot), _cells(held[slot], shown, viewer))
            for slot in sorted(held, reverse=True)]  # fmt: skip


def _cells(held: Mapping[VitalKind, Point], shown: Window, viewer: Viewer) -> tuple[str, ...]:
    high, low, worn = held.get(SYSTOLIC), held.get(DIASTOLIC), held.get(WORN)
    pressure = "/".join(number(SYSTOLIC, one.value) if one else "-" for one in (high, low))
    return (
        _cell(held.get(PULSE), viewer),
        _cell(held.get(REST), viewer),
        _cell(held.get(OXYGEN), viewer),
        pressure if high or low else "",
        _cell(held.get(STRESS), viewer),
        f"{100 * worn_share(worn, shown):.0f}" if worn else "",
        _cell(held.get(TEMPERATURE), viewer),
    )


def _cell(one: Point | None, viewer: Viewer) -> str:
    if one is None:
        return ""
    mean, least, most = (number(one.kind, value) for value in (one.value, one.least, one.most))
    if least == most:
        return mean
    return viewer.t("vitals.range", mean=mean, least=least, most=most)


def _when(shown: Window, slot: int) -> str:
    here = times.local(shown.at(slot))
    if here is None:
        return ""
    return f"{here:%Y-%m-%d}" if shown.slot_s >= times.DAY_S else f"{here:%m-%d %H:%M}"
