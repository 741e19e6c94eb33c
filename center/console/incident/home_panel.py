"""The home's part of the incident page: why the call came, who lives there, the last two days."""

from msgspec import Struct
from sqlalchemy import Connection

from center.console.homes import picture
from center.console.homes.picture import Moment, Picture
from center.console.incident.reason import Reason, reason
from center.console.lengths import clock
from center.console.view import Viewer
from center.domain import day_grid, times
from center.domain.day_grid import Hour
from center.domain.incident import Incident
from center.domain.record import Contact, Kept, age
from center.store.rows import days, hubs, records
from center.store.rows import words as word_rows

DAYS = 2


class Home(Struct, frozen=True):
    """What the store has of the home of an incident."""

    kept: Kept | None
    places: dict[str, str]
    hours: tuple[Hour, ...]
    words: tuple[str, ...]
    stuck: bool = False  # the button that called is stuck, or its wire is cut


class Person(Struct, frozen=True):
    """Whom the call is about, and whom to call."""

    name: str
    age: int | None
    phone: str
    contacts: tuple[Contact, ...]


class Panel(Struct, frozen=True):
    """The home's part of the incident page; `picture` is None where nothing was received."""

    reason: Reason | None
    person: Person | None
    picture: Picture | None
    first: str
    last: str
    stuck: bool = False


def look(conn: Connection, incident: Incident) -> Home:
    """Read what the panel needs, in one snapshot."""
    since, until = _days(incident)
    return Home(
        records.find(conn, incident.hub),
        days.places(conn, incident.hub),
        tuple(days.hours(conn, incident.hub, since, until)),
        word_rows.of_home(conn, incident.hub, incident.id),
        incident.is_open and hubs.is_held_or_cut(conn, incident.hub, incident.device),
    )


def panel(incident: Incident, home: Home, viewer: Viewer) -> Panel:
    """Return the panel in words."""
    starts = day_grid.day_starts(incident.received_utc, DAYS)
    drawn = None
    if home.hours:
        marks = (_alarm(incident, viewer),)
        drawn = picture.draw(day_grid.days(home.hours, starts), marks, viewer)
    return Panel(
        reason(incident, home.places, viewer, home.words),
        _person(home.kept, viewer.now),
        drawn,
        *((drawn.blocks[0].date, drawn.blocks[-1].date) if drawn else ("", "")),
        home.stuck,
    )


def _alarm(incident: Incident, viewer: Viewer) -> Moment:
    utc = incident.raised_utc if incident.synced else incident.received_utc
    text = viewer.t("picture.alarm", time=clock(utc, utc))
    since = incident.evidence.since_utc if incident.evidence and incident.is_quiet else None
    return Moment(utc, text, since if incident.synced else None)


def _person(kept: Kept | None, now: float) -> Person | None:
    if kept is None or not kept.version:
        return None
    record, today = kept.record, times.local(now)
    years = age(record, today.year) if today else None
    return Person(record.name, years, record.phone, record.contacts)


def _days(incident: Incident) -> tuple[float, float]:
    starts = day_grid.day_starts(incident.received_utc, DAYS)
    return (starts[0], starts[-1] + times.DAY_S) if starts else (0.0, 0.0)
