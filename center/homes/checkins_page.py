"""All homes' check-ins of a day."""

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.homes import checkins
from center.console.visit import Visit, visited
from center.domain import times
from center.service.desk import Desk
from center.store.rows import days, records
from center.store.rows import words as word_rows
from center.store.rows.days import CheckIn
from center.store.rows.words import Words


def routes(desk: Desk) -> list[Route]:
    """Give the route of the day's check-ins."""
    return [visited("/checkins", desk, _read)]


def look(conn: Connection, day: str, start: float) -> tuple[list[CheckIn], dict[str, str], Words]:
    """Read a day's check-ins, the residents' names, and what was said from its `start` on."""
    words = word_rows.newest(conn, start)
    return days.of_day(conn, day), records.names(conn), words


async def _read(visit: Visit) -> Response:
    today = times.day_of(visit.eye.now)
    day = visit.request.query_params.get("day") or today
    start = times.day_start(day)
    if start is None:
        return visit.error(400, visit.t("checkin.no_day"))
    day = times.day_of(start)
    found, names, words = await visit.desk.store.ask(look, day, start)
    return show(
        visit.request,
        "homes/checkins.html",
        page=visit.page("checkins", visit.t("checkin.page"), address("/checkins", day=day)),
        day=day,
        today=today,
        before=times.day_of(start - 1),
        after=times.day_of(start + times.DAY_S) if day < today else "",
        homes=checkins.of_day(found, names, words, visit.eye),
        counts=checkins.counts(found, visit.t),
    )
