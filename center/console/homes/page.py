"""A home's page: record, days, what is to be done, raised, false, and said by its voice."""

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import Route

from center.console import hubs
from center.console.announcements import view
from center.console.frame import address, show
from center.console.homes import checkins, picture, record, voice
from center.console.homes.picture import Moment, Picture
from center.console.homes.voice import VoiceView
from center.console.hubs import HubView
from center.console.lengths import clock
from center.console.tasks import equipment_view
from center.console.view import Call, Eye, call
from center.console.visit import Visit, visited
from center.domain import day_grid
from center.domain.hub import Seen
from center.domain.incident import Incident
from center.domain.need import CHOICES
from center.homes import calls_page, home_look
from center.homes.calls_page import Draft
from center.homes.home_look import HomeLook
from center.service import homes
from center.service.desk import Desk

SPANS = {"2": 2, "7": 7}


class History(Struct, frozen=True):
    """An incident of the home, and how it ended."""

    call: Call
    false: bool


def routes(desk: Desk) -> list[Route]:
    """Give the route of a home's page."""
    return [visited("/homes/{hub}", desk, _read)]


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    days = SPANS.get(visit.request.query_params.get("days", ""), 2)
    found = await visit.desk.store.ask(home_look.look, hub, visit.eye.now, days)
    if found is None:
        return visit.error(404, visit.t("home.not_found"))
    url = address(homes.path(hub), days=str(days))
    page = visit.page("home", found.kept.record.name or hub, url)
    await homes.note_record_seen(visit.desk, hub, visit.person.name, again=page.bare)
    return show(
        visit.request,
        "homes/home.html",
        page=page,
        record=record.view(found.kept, visit.eye),
        hub=_hub(found, visit),
        picture=drawn(found, days, visit.eye),
        days=days,
        spans=tuple(SPANS.values()),
        strip=checkins.strip(found.checkins, visit.eye) if found.checkins else None,
        waiting=calls_page.waiting(found.tasks, visit),
        done=calls_page.done(found.tasks, visit),
        choices=CHOICES,
        draft=Draft(),
        history=[_history(one, visit.eye) for one in found.incidents],
        rates=found.rates,
        voice=_voice(found, visit),
        worded=checkins.worded(found.checkins, found.words, visit.eye),
        equipment=[equipment_view.line(one, {}, visit.eye) for one in found.equipment],
        announced=[view.heard(told, one, visit.eye) for told, one in found.sent],
    )


def drawn(found: HomeLook, days: int, eye: Eye) -> Picture | None:
    """Draw the days, with the home's alarms marked."""
    if not found.hours:
        return None
    marks = [
        Moment(at, eye.t("picture.alarm", time=clock(at, at)))
        for one in found.incidents
        if (at := one.raised_utc if one.synced else one.received_utc)
    ]
    return picture.draw(day_grid.days(found.hours, day_grid.day_starts(eye.now, days)), marks, eye)


def _hub(found: HomeLook, visit: Visit) -> HubView | None:
    if found.hub is None:
        return None
    return hubs.row(found.hub, None, visit.eye, visit.desk.link.listening_utc)


def _voice(found: HomeLook, visit: Visit) -> VoiceView:
    hub = _hub(found, visit)
    report = found.hub.voice if found.hub else None
    stale = hub is not None and hub.seen in {Seen.LOST, Seen.DISCONNECTED, Seen.UNKNOWN}
    return voice.view(found.voice, report, visit.eye, stale=stale)


def _history(incident: Incident, eye: Eye) -> History:
    false = incident.outcome is not None and incident.outcome.is_false_alarm
    return History(call(incident, eye), false)
