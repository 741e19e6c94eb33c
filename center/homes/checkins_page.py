"""All homes' check-ins of a day."""

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center import moments
from center.desk import Desk
from center.frame import address, show
from center.homes import checkin_view, day_rows, record_rows, word_rows
from center.homes.day_rows import CheckIn
from center.homes.word_rows import Words
from center.visit import Visit, visited


def routes(desk: Desk) -> list[Route]:
    """Give the route of the day's check-ins."""
    return [visited("/checkins", desk, _read)]


def look(conn: Connection, day: str, start: float) -> tuple[list[CheckIn], dict[str, str], Words]:
    """Read a day's check-ins, the residents' names, and what was said from its `start` on."""
    words = word_rows.newest(conn, start)
    return day_rows.of_day(conn, day), record_rows.names(conn), words


async def _read(visit: Visit) -> Response:
    today = moments.day_of(visit.eye.now)
    day = visit.request.query_params.get("day") or today
    start = moments.day_start(day)
    if start is None:
        return visit.error(400, visit.t("checkin.no_day"))
    day = moments.day_of(start)
    found, names, words = await visit.desk.store.ask(look, day, start)
    return show(
        visit.request,
        "homes/checkins.html",
        page=visit.page("checkins", visit.t("checkin.page"), address("/checkins", day=day)),
        day=day,
        today=today,
        before=moments.day_of(start - 1),
        after=moments.day_of(start + moments.DAY_S) if day < today else "",
        homes=checkin_view.of_day(found, names, words, visit.eye),
        counts=checkin_view.counts(found, visit.t),
    )
