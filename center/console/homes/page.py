"""A home's page: its record, days, check-ins, tasks, incidents, false alarms, voice."""

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center.console import hubs
from center.console.announcements import view
from center.console.frame import address, show
from center.console.homes import checkins, lease, picture, record, voice
from center.console.homes.picture import Moment, Picture
from center.console.homes.voice import VoiceView
from center.console.hubs import HubView
from center.console.lengths import clock
from center.console.tasks import calls, equipment_view
from center.console.tasks.calls import Draft, Look
from center.console.view import Call, Viewer, call
from center.console.visit import Visit, visited
from center.console.vitals import card
from center.console.vitals import limits as limits_form
from center.domain import day_grid, times
from center.domain import limits as limit_rules
from center.domain.announcement import Announcement, Delivery
from center.domain.clones import Boot
from center.domain.day_grid import Hour
from center.domain.hub import Hub, Seen
from center.domain.incident import Incident
from center.domain.lease import Lease
from center.domain.need import CHOICES
from center.domain.rates import WINDOWS, Rates
from center.domain.record import ConsentItem, Kept
from center.domain.vitals import Reading
from center.service import homes, own_faults
from center.service.desk import Desk
from center.store.rows import days as day_rows
from center.store.rows import deliveries, leases, parts, rates, records, vitals, voices, words
from center.store.rows import hubs as hub_rows
from center.store.rows import incidents as incident_rows
from center.store.rows import limits as limit_rows
from center.store.rows.days import CheckIn
from center.store.rows.parts import AreaTask
from center.store.rows.voices import Voice
from center.store.rows.words import Words

INCIDENTS = 15
SENT = 5
FACTS = 5
SPANS = {"2": 2, "7": 7}


class HomeLook(Struct, frozen=True):
    """A home: record, hub, days, tasks, incidents (newest first), rates, voice, announcements.

    `words` are what was said, by home and check-in.
    """

    kept: Kept
    hub: Hub | None
    hours: tuple[Hour, ...]
    checkins: tuple[CheckIn, ...]
    tasks: Look
    incidents: tuple[Incident, ...]
    rates: Rates
    voice: Voice
    sent: tuple[tuple[Announcement, Delivery], ...]
    words: Words
    equipment: tuple[AreaTask, ...]
    limits: limit_rules.Kept
    readings: tuple[Reading, ...] = ()
    leased: tuple[Lease, ...] = ()  # in test mode
    boots: tuple[Boot, ...] = ()  # of its hub


class History(Struct, frozen=True):
    """An incident of the home, and how it ended."""

    call: Call
    false: bool


def routes(desk: Desk) -> list[Route]:
    """Return the route of a home's page."""
    return [visited("/homes/{hub}", desk, _read)]


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    days = SPANS.get(visit.request.query_params.get("days", ""), 2)
    found = await visit.desk.store.ask(look, hub, visit.viewer.now, days)
    if found is None:
        return visit.error(404, visit.t("home.not_found"))
    url = address(homes.path(hub), days=str(days))
    page = visit.page("home", found.kept.record.name or hub, url)
    await homes.note_record_seen(visit.desk, hub, visit.person.name, again=page.bare)
    return show(
        visit.request,
        "homes/home.html",
        page=page,
        record=record.view(found.kept, visit.viewer),
        hub=_hub(found, visit),
        machines=hubs.machines(found.boots, visit.viewer),
        picture=drawn(found, days, visit.viewer),
        days=days,
        spans=tuple(SPANS.values()),
        strip=checkins.strip(found.checkins, visit.viewer) if found.checkins else None,
        waiting=calls.waiting(found.tasks, visit),
        done=calls.done(found.tasks, visit),
        choices=CHOICES,
        draft=Draft(),
        history=[_history(one, visit.viewer) for one in found.incidents],
        rates=found.rates,
        voice=_voice(found, visit),
        worded=checkins.worded(found.checkins, found.words, visit.viewer),
        phones=phones(found, visit.viewer),
        leased=[lease.view(one, visit.viewer, found.hub) for one in found.leased],
        equipment=[equipment_view.line(one, {}, visit.viewer) for one in found.equipment],
        announced=[view.heard(told, one, visit.viewer) for told, one in found.sent],
        body=_of_body(found, visit.viewer),
    )


def _of_body(found: HomeLook, viewer: Viewer) -> dict[str, object]:
    """Return what the page shows of readings."""
    return {
        "vitals_allowed": found.kept.record.allows(ConsentItem.VITALS),
        "facts": card.facts(found.readings, viewer)[:FACTS],
        "vitals_old": card.old(found.readings, viewer),
        "limits": limits_form.view(found.limits, viewer),
    }


def look(conn: Connection, hub: str, now: float, days: int) -> HomeLook | None:
    """Read a home with its activity of the last `days`; None where there is no such home."""
    kept = records.find(conn, hub)
    if kept is None:
        return None
    starts = day_grid.day_starts(now, days)
    since = starts[0] if starts else now
    return HomeLook(
        kept=kept,
        hub=next(iter(hub_rows.known(conn, hub)), None),
        hours=tuple(day_rows.hours(conn, hub, since, now + times.DAY_S)),
        checkins=tuple(day_rows.of_home(conn, hub, checkins.since(now))),
        tasks=calls.look(conn, now - checkins.DAYS * times.DAY_S, hub),
        incidents=tuple(incident_rows.of_hub(conn, hub, INCIDENTS)),
        rates=rates.read(conn, now, WINDOWS[-1], hub),
        voice=voices.look(conn, hub),
        sent=tuple(deliveries.to_home(conn, hub, SENT)),
        words=words.newest(conn, now - checkins.DAYS * times.DAY_S, hub),
        equipment=tuple(parts.of_home(conn, hub)),
        limits=limit_rows.find(conn, hub),
        readings=tuple(vitals.latest(conn, hub, now)) if vitals.allowed(conn, hub) else (),
        leased=tuple(leases.standing(conn, now, hub)),
        boots=tuple(own_faults.boots(conn, hub)),
    )


def drawn(found: HomeLook, days: int, viewer: Viewer) -> Picture | None:
    """Draw the days, with the home's alarms marked."""
    if not found.hours:
        return None
    marks = [
        Moment(at, viewer.t("picture.alarm", time=clock(at, at)))
        for one in found.incidents
        if (at := one.raised_utc if one.synced else one.received_utc)
    ]
    return picture.draw(
        day_grid.days(found.hours, day_grid.day_starts(viewer.now, days)), marks, viewer
    )


def phones(found: HomeLook, viewer: Viewer) -> list[str]:
    """Say when each phone was seen, by consent; never that one is away."""
    allowed = found.kept.record.allows(ConsentItem.PHONE)
    seen = found.hub.phones if found.hub and allowed else None
    t = viewer.t
    return [
        t("home.phone_seen", phone=one.phone, time=times.short(one.utc, viewer.now))
        for one in seen or ()
    ]


def _hub(found: HomeLook, visit: Visit) -> HubView | None:
    if found.hub is None:
        return None
    return hubs.row(found.hub, None, visit.viewer, visit.desk.link.listening_utc)


def _voice(found: HomeLook, visit: Visit) -> VoiceView:
    hub = _hub(found, visit)
    report = found.hub.voice if found.hub else None
    stale = hub is not None and hub.seen in {Seen.LOST, Seen.DISCONNECTED, Seen.UNKNOWN}
    return voice.view(found.voice, report, visit.viewer, stale=stale)


def _history(incident: Incident, viewer: Viewer) -> History:
    false = incident.outcome is not None and incident.outcome.is_false_alarm
    return History(call(incident, viewer), false)
