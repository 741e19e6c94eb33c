"""A home's page: record, days, what is to be done, raised, false, and said by its voice."""

from msgspec import Struct
from starlette.responses import Response
from starlette.routing import Route

from center import rooms
from center.announcing import view
from center.desk import Desk
from center.frame import address, show
from center.homes import (
    acts,
    calls_page,
    checkin_view,
    equipment_view,
    grid,
    home_look,
    picture,
    record_view,
    voice_view,
)
from center.homes.calls_page import Draft
from center.homes.home_look import HomeLook
from center.homes.lengths import clock
from center.homes.need import CHOICES
from center.homes.picture import Moment, Picture
from center.homes.voice_view import VoiceView
from center.hubs import Seen
from center.incident import Incident
from center.rooms import HubView
from center.views import Call, Eye, call
from center.visit import Visit, visited

SPANS = {"2": 2, "7": 7}


class History(Struct, frozen=True):
    """An incident of the home, and how it ended."""

    call: Call
    false: bool


def routes(desk: Desk) -> list[Route]:
    """Give the route of a home's page."""
    return [visited("/homes/{hub}", desk, _read)]


async def _read(visit: Visit) -> Response:
    hub = acts.hub_of(visit.request)
    days = SPANS.get(visit.request.query_params.get("days", ""), 2)
    found = await visit.desk.store.ask(home_look.look, hub, visit.eye.now, days)
    if found is None:
        return visit.error(404, visit.t("home.not_found"))
    url = address(acts.path(hub), days=str(days))
    page = visit.page("home", found.kept.record.name or hub, url)
    await acts.note_record_seen(visit.desk, hub, visit.person.name, again=page.bare)
    return show(
        visit.request,
        "homes/home.html",
        page=page,
        record=record_view.view(found.kept, visit.eye),
        hub=_hub(found, visit),
        picture=drawn(found, days, visit.eye),
        days=days,
        spans=tuple(SPANS.values()),
        strip=checkin_view.strip(found.checkins, visit.eye) if found.checkins else None,
        waiting=calls_page.waiting(found.tasks, visit),
        done=calls_page.done(found.tasks, visit),
        choices=CHOICES,
        draft=Draft(),
        history=[_history(one, visit.eye) for one in found.incidents],
        rates=found.rates,
        voice=_voice(found, visit),
        worded=checkin_view.worded(found.checkins, found.words, visit.eye),
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
    return picture.draw(grid.days(found.hours, grid.day_starts(eye.now, days)), marks, eye)


def _hub(found: HomeLook, visit: Visit) -> HubView | None:
    if found.hub is None:
        return None
    return rooms.row(found.hub, None, visit.eye, visit.desk.link.listening_utc)


def _voice(found: HomeLook, visit: Visit) -> VoiceView:
    hub = _hub(found, visit)
    report = found.hub.voice if found.hub else None
    stale = hub is not None and hub.seen in {Seen.LOST, Seen.DISCONNECTED, Seen.UNKNOWN}
    return voice_view.view(found.voice, report, visit.eye, stale=stale)


def _history(incident: Incident, eye: Eye) -> History:
    false = incident.outcome is not None and incident.outcome.is_false_alarm
    return History(call(incident, eye), false)
