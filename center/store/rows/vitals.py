"""What devices on the body measured, in the store. Only what the resident consented to is kept."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    select,
    tuple_,
)

from center.domain import times
from center.domain.record import ConsentItem
from center.domain.vitals import (
    SUMMED,
    TREND_DAYS,
    USUAL_DAYS,
    DayMean,
    Point,
    Reading,
    Trend,
    Window,
    trend,
)
from center.store import tables
from center.store.rows import records
from center.store.shaping import bounded, shape
from center.store.tables import vitals
from hub.contract.messages import Vital, VitalKind, Vitals, VitalWhy

AHEAD_S = 3600.0  # a reading from further ahead was written by a wrong clock
FAR = 2.0**40  # no real value is as high; a time of it is in no calendar
BATTERY_S = 30 * times.DAY_S  # a device that told nothing for longer is not there any more
UNSURE = 10  # records without a certain time that are listed
_c = vitals.c
_KEY = (_c.hub, _c.kind, _c.utc, _c.device)
_DROP = delete(vitals).where(*(part == bindparam(f"this_{part.name}") for part in _KEY))
_ADD = insert(vitals)
_STRESS = _c.kind == VitalKind.STRESS.value  # shown as a share of what is usual for the person
_SHARE = _c.value / func.nullif(_c.usual, 0)
_VALUE = case((_STRESS, _SHARE), else_=_c.value)
_LEAST = case((_STRESS, _SHARE), else_=func.coalesce(_c.least, _c.value))
_MOST = case((_STRESS, _SHARE), else_=func.coalesce(_c.most, _c.value))


class Whys(Struct, frozen=True):
    """How often a reason stood in place of a value, or forbade to compare it."""

    why: VitalWhy
    n: int


class Shared(Struct, frozen=True):
    """A reading for the medical partner, with those of the same cuff at the same time."""

    reading: Reading
    parts: tuple[Reading, ...] = ()


class Wanted(Struct, frozen=True):
    """Which readings: their kinds, when they were taken, since when they are stored (UTC seconds).

    `after` is (utc, kind, device) of the last one before; `limit` is how many at most.
    """

    kinds: tuple[VitalKind, ...]
    from_utc: float
    until_utc: float
    since_utc: float
    after: tuple[float, str, str] | None
    limit: int


def keep(conn: Connection, hub: str, said: Vitals, utc: float) -> bool:
    """Store a home's readings, in place of earlier reports; False where there is no consent.

    A hub that was offline tells old readings late: what was taken before the day of the consent is
    not stored. Where the hub's clock was wrong, the readings count as taken now.
    """
    since_utc = consented_since(conn, hub)
    if since_utc is None:
        return False
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in said.entries:
        if 0.0 <= one.utc < FAR and (one.utc >= since_utc or not said.synced):
            row = _row(hub, said, one, utc)
            rows[tuple(row[part.name] for part in _KEY)] = row
    if rows:
        names = [f"this_{part.name}" for part in _KEY]
        conn.execute(_DROP, [dict(zip(names, key, strict=True)) for key in rows])
        conn.execute(_ADD, list(rows.values()))
    return True


def allowed(conn: Connection, hub: str) -> bool:
    """Return whether the resident of a home consented to the keeping of readings."""
    return consented_since(conn, hub) is not None


def consented_since(conn: Connection, hub: str) -> float | None:
    """Return when the day of the resident's consent to readings began (0: no day is known).

    None: there is no consent.
    """
    kept = records.find(conn, hub)
    one = kept.record.consent(ConsentItem.VITALS) if kept else None
    if one is None or not one.given:
        return None
    return times.day_start(one.date) or 0.0


def points(conn: Connection, hub: str, window: Window) -> list[Point]:
    """Sum up a home's readings by kind and slot; those without a certain time are left out."""
    begun = cast(func.coalesce(_c.from_utc, _c.utc), BigInteger)
    slot = (begun - int(window.start_utc)) // window.slot_s
    query = (
        select(
            _c.kind,
            slot.label("slot"),
            func.avg(_VALUE).label("value"),
            func.min(_LEAST).label("least"),
            func.max(_MOST).label("most"),
            func.count().label("n"),
        )
        .where(_of(hub, *VitalKind), _VALUE.is_not(None))
        .where(_c.utc >= window.start_utc, _c.utc < window.end_utc)
        .group_by(_c.kind, slot)
    )
    found = [shape(row, Point) for row in conn.execute(query)]
    return [one for one in found if 0 <= one.slot < window.slots]


def whys(conn: Connection, hub: str, kind: VitalKind, since_utc: float) -> list[Whys]:
    """Count why there was no value of a kind, the most frequent reason first."""
    number = func.count().label("n")
    query = select(_c.why, number).where(_of(hub, kind), _c.why.is_not(None), _c.utc >= since_utc)
    found = conn.execute(query.group_by(_c.why).order_by(number.desc(), _c.why))
    return [shape(row, Whys) for row in found]


def latest(conn: Connection, hub: str, now: float) -> list[Reading]:
    """Return the newest value of each kind, and of a battery that of each device of this month."""
    found = []
    for kind in VitalKind:
        if kind is not VitalKind.BATTERY:
            query = select(vitals).where(_of(hub, kind), _c.value.is_not(None))
            found += [_shape(row) for row in conn.execute(query.order_by(_c.utc.desc()).limit(1))]
    return found + _batteries(conn, hub, now - BATTERY_S)


def unsure(conn: Connection, hub: str, since_utc: float) -> list[Reading]:
    """List the newest records whose time is not known: a cuff's clock was not set."""
    query = select(vitals).where(_c.hub == hub, _c.sure.is_(False), _c.stored_utc >= since_utc)
    query = query.where(_c.value.is_not(None)).order_by(_c.stored_utc.desc(), _c.kind)
    return [_shape(row) for row in conn.execute(query.limit(UNSURE))]


def trends(conn: Connection, hub: str, kinds: Sequence[VitalKind], now: float) -> list[Trend]:
    """Return how the last week compares with the weeks before, of kinds with enough days."""
    since = now - (TREND_DAYS + USUAL_DAYS) * times.DAY_S
    back = (int(now) - cast(_c.utc, BigInteger)) // times.DAY_S
    found = []
    for kind in kinds:
        query = (
            select(_c.kind, back.label("days_back"), func.avg(_c.value).label("value"))
            .where(_of(hub, kind), _c.utc > since, _c.utc <= now, _c.value.is_not(None))
            .group_by(_c.kind, back)
        )
        told = trend(shape(row, DayMean) for row in conn.execute(query))
        found += [told] if told else []
    return found


def shared(conn: Connection, hub: str, wanted: Wanted) -> list[Shared]:
    """List a home's values whose time is certain, oldest first; nothing without consent."""
    if not allowed(conn, hub) or not wanted.kinds:
        return []
    order = (_c.utc, _c.kind, _c.device)
    query = select(vitals).where(_of(hub, *wanted.kinds), _c.value.is_not(None))
    query = query.where(_c.utc >= wanted.from_utc, _c.utc < wanted.until_utc)
    query = query.where(_c.stored_utc >= wanted.since_utc)
    if wanted.after is not None:
        query = query.where(tuple_(*order) > tuple_(*wanted.after), _c.utc >= wanted.after[0])
    found = [_shape(row) for row in conn.execute(query.order_by(*order).limit(wanted.limit))]
    cuffs = [one.utc for one in found if one.kind is VitalKind.SYSTOLIC]
    parts: dict[tuple[float, str], list[Reading]] = {}
    for part in _parts(conn, hub, cuffs):
        parts.setdefault((part.utc, part.device), []).append(part)
    return [
        Shared(one, tuple(parts.get((one.utc, one.device), ())))
        if one.kind is VitalKind.SYSTOLIC
        else Shared(one)
        for one in found
    ]


def unwanted(conn: Connection) -> list[str]:
    """List the homes whose readings are stored without consent: it was taken back since."""
    hubs = conn.scalars(select(tables.hubs.c.hub))
    return [hub for hub in hubs if _any(conn, hub) and not allowed(conn, hub)]


def drop_all(conn: Connection, hub: str) -> None:
    """Delete a home's readings."""
    conn.execute(delete(vitals).where(_c.hub == hub))


def drop_some(conn: Connection, hub: str, limit: int) -> int:
    """Delete at most `limit` readings of a home, unless it consents by now; return how many."""
    if allowed(conn, hub):
        return 0
    keys = [tuple(key) for key in conn.execute(select(*_KEY).where(_c.hub == hub).limit(limit))]
    return conn.execute(delete(vitals).where(tuple_(*_KEY).in_(keys))).rowcount if keys else 0


def _parts(conn: Connection, hub: str, utcs: Sequence[float]) -> list[Reading]:
    """List the other values of blood pressures that were taken at some times."""
    if not utcs:
        return []
    others = _of(hub, VitalKind.DIASTOLIC, VitalKind.MEAN_PRESSURE)
    query = select(vitals).where(others, _c.utc.in_(utcs), _c.value.is_not(None))
    return [_shape(row) for row in conn.execute(query)]


def _any(conn: Connection, hub: str) -> bool:
    return conn.execute(select(_c.hub).where(_c.hub == hub).limit(1)).first() is not None


def _of(hub: str, *kinds: VitalKind) -> ColumnElement[bool]:
    """Return the condition of a home's readings whose time is certain."""
    return (_c.hub == hub) & _c.kind.in_([kind.value for kind in kinds]) & _c.sure.is_(True)


def _batteries(conn: Connection, hub: str, since_utc: float) -> list[Reading]:
    of_home = _of(hub, VitalKind.BATTERY) & _c.value.is_not(None) & (_c.utc >= since_utc)
    last = select(_c.device, func.max(_c.utc).label("utc")).where(of_home).group_by(_c.device)
    newest = last.subquery()
    query = select(vitals).join(newest, (_c.device == newest.c.device) & (_c.utc == newest.c.utc))
    return [_shape(row) for row in conn.execute(query.where(of_home).order_by(_c.device))]


def _shape(row: "Row[*tuple[Any, ...]]") -> Reading:
    return shape(row, Reading)


def _row(hub: str, said: Vitals, one: Vital, utc: float) -> dict[str, Any]:
    summed = one.kind in SUMMED or one.n > 1
    begins = said.from_utc if summed and said.from_utc < one.utc == said.to_utc else None
    return {
        "hub": hub,
        "kind": one.kind.value,
        "utc": one.utc,
        "device": one.device,
        "from_utc": begins,
        "value": one.value,
        "least": one.least,
        "most": one.most,
        "n": bounded(one.n),
        "clean_share": one.clean_share,
        "usual": one.usual,
        "level": one.level and one.level.value,
        "why": one.why and one.why.value,
        "sure": said.synced and one.fresh and one.utc <= utc + AHEAD_S,
        "irregular": one.irregular,
        "stored_utc": utc,
    }
