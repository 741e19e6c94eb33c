"""Tasks from failing equipment: compared every few seconds, stored where something changed.

`watch` reads beside the writer; `follow` writes what it found. Mostly there is nothing to write.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DBAPIError

from center.domain.equipment import PRESSED, Known, Look, Part, failing, goes_on, named
from center.domain.hub import Hub
from center.domain.need import Need, NeedKind, given_back, opened_again
from center.domain.times import DAY_S
from center.store import tables
from center.store.rows import days, needs, parts
from center.store.rows.parts import Row

log = logging.getLogger(__name__)


class News(Struct, frozen=True):
    """What has changed since the last look; mostly all empty."""

    fails: tuple[Part, ...] = ()
    over: tuple[Row, ...] = ()
    again: tuple[Need, ...] = ()  # seen to, but still failing a day later
    forgotten: tuple[Need, ...] = ()  # taken by somebody whose shift is over
    unknown: tuple[tuple[str, str], ...] = ()  # triggers of which no press is known

    @property
    def is_any(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.fails or self.over or self.again or self.forgotten or self.unknown)


class Bounds(Struct, frozen=True):
    """How long a take lasts, and how many test presses may become due a day."""

    take_s: float
    presses_a_day: int


def watch(conn: Connection, hubs: Sequence[Hub], look: Look, bounds: Bounds) -> News:
    """Compare what fails now with the tasks in the store."""
    told, pressed = parts.lasting(conn), _pressed(conn)
    now: dict[object, Part] = {}
    unknown: list[tuple[str, str]] = []
    for hub in hubs:
        held = pressed.get(hub.hub, {})
        unknown += [(hub.hub, device) for device in named(hub) if device not in held]
        for part in failing(hub, Known(_sensors(conn, hub), held), look):
            now[part.key] = part
    by_name = {hub.hub: hub for hub in hubs}
    known = {row.part.key for row in told}
    fails = _bounded(conn, [part for key, part in now.items() if key not in known], look, bounds)
    return News(
        fails=tuple(fails),
        over=tuple(r for r in told if not goes_on(r.part, by_name.get(r.hub), now.keys(), look)),
        again=tuple(parts.due_again(conn, look.now)),
        forgotten=tuple(parts.taken_before(conn, look.now - bounds.take_s)),
        unknown=tuple(unknown),
    )


def follow(conn: Connection, news: News, utc: float) -> None:
    """Store the changes, in the caller's transaction."""
    _meet(conn, news.unknown, utc)
    parts.open_parts(conn, news.fails, utc)
    parts.end_parts(conn, news.over, utc)
    for need in news.again:
        needs.put(conn, opened_again(need, utc))
    for need in news.forgotten:
        needs.put(conn, given_back(need))


def _pressed(conn: Connection) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in conn.execute(select(tables.presses)):
        found.setdefault(row.hub, {})[row.device] = row.pressed_utc or row.known_utc
    return found


def _sensors(conn: Connection, hub: Hub) -> Collection[str]:
    """Return a home's sensors; only where its hub lists no triggers and something fails."""
    return days.places(conn, hub.hub) if hub.triggers is None and hub.faults else ()


def _bounded(conn: Connection, found: Sequence[Part], look: Look, bounds: Bounds) -> list[Part]:
    """Drop presses beyond the number a day: many homes may have been set up on one day."""
    due = [part for part in found if part.kind is NeedKind.PRESS_DUE]
    if not due:
        return list(found)
    of_day = (tables.needs.c.kind == NeedKind.PRESS_DUE.value) & (
        tables.needs.c.since_utc > look.now - DAY_S
    )
    left = bounds.presses_a_day - (conn.scalar(select(func.count()).where(of_day)) or 0)
    homes = list(dict.fromkeys(p.hub for p in sorted(due, key=lambda part: part.since_utc)))
    chosen = set(homes[: max(0, left)])
    return [part for part in found if part.kind is not NeedKind.PRESS_DUE or part.hub in chosen]


def _meet(conn: Connection, unknown: Sequence[tuple[str, str]], utc: float) -> None:
    """Store new triggers, each with its last press among the incidents.

    Triggers of one hub that cannot be stored hold up no other hub's tasks.
    """
    if not unknown:
        return
    before, held = _calls(conn), _pressed(conn)
    rows: dict[str, list[dict[str, object]]] = {}
    for hub, device in dict.fromkeys(unknown):
        if device in held.get(hub, {}):
            continue  # pressed since the look
        of_home = before.get(hub, {})
        last = of_home.get(device) if device else max(of_home.values(), default=None)
        values = {"hub": hub, "device": device, "known_utc": utc, "pressed_utc": last}
        rows.setdefault(hub, []).append(values)
    for hub, of_hub in rows.items():
        try:
            with conn.begin_nested():
                conn.execute(insert(tables.presses), of_hub)
        except DBAPIError as error:
            log.warning("triggers of %s were not noted: %s", hub, type(error).__name__)


def _calls(conn: Connection) -> Mapping[str, dict[str, float]]:
    column = tables.incidents.c
    query = select(column.hub, column.device, func.max(column.received_utc))
    query = query.where(column.kind.in_([kind.value for kind in PRESSED]))
    found: dict[str, dict[str, float]] = {}
    for hub, device, utc in conn.execute(query.group_by(column.hub, column.device)):
        found.setdefault(hub, {})[device] = utc
    return found
