"""All that the centre holds of a home, read in one snapshot."""

from msgspec import Struct
from sqlalchemy import Connection

from center import queries
from center.announcing.fate import Delivery
from center.console.homes import checkins as checkin_view
from center.domain import day_grid, times
from center.domain.announcement import Announcement
from center.domain.day_grid import Hour
from center.domain.hub import Hub
from center.domain.incident import Incident
from center.domain.rates import WINDOWS, Rates
from center.domain.record import Kept
from center.homes import calls_page
from center.homes.calls_page import Look
from center.store.rows import (
    days as day_rows,
)
from center.store.rows import (
    deliveries,
    parts,
    records,
    voices,
)
from center.store.rows import (
    rates as rate_rows,
)
from center.store.rows import (
    words as word_rows,
)
from center.store.rows.days import CheckIn
from center.store.rows.parts import AreaTask
from center.store.rows.voices import Voice
from center.store.rows.words import Words

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
    kept = records.find(conn, hub)
    if kept is None:
        return None
    starts = day_grid.day_starts(now, days)
    since = starts[0] if starts else now
    return HomeLook(
        kept=kept,
        hub=next(iter(queries.hubs(conn, hub)), None),
        hours=tuple(day_rows.hours(conn, hub, since, now + times.DAY_S)),
        checkins=tuple(day_rows.of_home(conn, hub, checkin_view.since(now))),
        tasks=calls_page.look(conn, now - checkin_view.DAYS * times.DAY_S, hub),
        incidents=tuple(queries.of_hub(conn, hub, INCIDENTS)),
        rates=rate_rows.read(conn, now, WINDOWS[-1], hub),
        voice=voices.look(conn, hub),
        sent=tuple(deliveries.to_home(conn, hub, SENT)),
        words=word_rows.newest(conn, now - checkin_view.DAYS * times.DAY_S, hub),
        equipment=tuple(parts.of_home(conn, hub)),
    )
