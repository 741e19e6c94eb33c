"""All that the centre holds of a home, read in one snapshot."""

from msgspec import Struct
from sqlalchemy import Connection

from center import moments, queries
from center.announcing import delivery_rows
from center.announcing.draft import Announcement
from center.announcing.fate import Delivery
from center.homes import (
    calls_page,
    checkin_view,
    day_rows,
    grid,
    part_rows,
    rate_rows,
    record_rows,
    voice_rows,
    word_rows,
)
from center.homes.calls_page import Look
from center.homes.day_rows import CheckIn
from center.homes.grid import Hour
from center.homes.part_rows import AreaTask
from center.homes.rates import WINDOWS, Rates
from center.homes.record import Kept
from center.homes.voice_rows import Voice
from center.homes.word_rows import Words
from center.hubs import Hub
from center.incident import Incident

INCIDENTS = 15
SENT = 5


class HomeLook(Struct, frozen=True):
    """A home: record, hub, days, tasks, incidents (newest first), rates, voice, announcements.

    `words`: what was said to a check-in, by home and check-in.
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


def look(conn: Connection, hub: str, now: float, days: int) -> HomeLook | None:
    """Read a home, its activity of the last `days`; None where there is no such home."""
    kept = record_rows.find(conn, hub)
    if kept is None:
        return None
    starts = grid.day_starts(now, days)
    since = starts[0] if starts else now
    return HomeLook(
        kept=kept,
        hub=next(iter(queries.hubs(conn, hub)), None),
        hours=tuple(day_rows.hours(conn, hub, since, now + moments.DAY_S)),
        checkins=tuple(day_rows.of_home(conn, hub, checkin_view.since(now))),
        tasks=calls_page.look(conn, now - checkin_view.DAYS * moments.DAY_S, hub),
        incidents=tuple(queries.of_hub(conn, hub, INCIDENTS)),
        rates=rate_rows.read(conn, now, WINDOWS[-1], hub),
        voice=voice_rows.look(conn, hub),
        sent=tuple(delivery_rows.to_home(conn, hub, SENT)),
        words=word_rows.newest(conn, now - checkin_view.DAYS * moments.DAY_S, hub),
        equipment=tuple(part_rows.of_home(conn, hub)),
    )
