"""The false-alarm rates from the store, and the same as CSV."""

import csv
import io
from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from center.domain.incident import Deed, Outcome
from center.domain.rates import CAUSES, Alarm, Rate, Rates, rates
from center.domain.times import DAY_S
from center.store.shaping import shape
from center.store.tables import audit, hubs, incidents

HEAD = ("by", "hub", "device", "kind", "alarms", "closed", "false", "share", "per_30_days",
        "home_days")  # fmt: skip

_told_of = exists(
    select(audit.c.seq).where(
        audit.c.incident == incidents.c.id, audit.c.deed == Deed.TEST_PRESSED.value
    )
)
_other = incidents.c.outcome.is_(None) | (incidents.c.outcome != Outcome.TEST.value)
_IS_ALARM = _other | ~_told_of  # a press that was announced and closed as a test is no alarm


def read(conn: Connection, now: float, days: int, hub: str | None = None) -> Rates:
    """Compute the rates of the last `days`, of all homes or of one."""
    column = incidents.c
    query = select(column.hub, column.device, column.kind, column.outcome)
    query = query.where(column.received_utc >= now - days * DAY_S, _IS_ALARM)
    known = select(hubs.c.hub, hubs.c.first_utc)
    if hub is not None:
        query = query.where(column.hub == hub)
        known = known.where(hubs.c.hub == hub)
    alarms = [shape(row, Alarm) for row in conn.execute(query)]
    first = {name: utc or 0.0 for name, utc in conn.execute(known)}
    return rates(alarms, first, now, days)


def as_csv(found: Rates) -> str:
    """Write all rates as CSV with a BOM, since Excel reads Korean in no other way."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow((*HEAD, *CAUSES))
    for rate in (found.total, *found.homes, *found.sensors, *found.rules):
        writer.writerow(_cells(rate))
    return "\ufeff" + sheet.getvalue()


def _cells(rate: Rate) -> Iterator[object]:
    for name in HEAD:
        value = getattr(rate, name)
        yield _harmless(value) if isinstance(value, str) else value
    for cause in CAUSES:
        yield rate.causes.get(cause, 0)


def _harmless(text: str) -> str:
    """Quote text of a hub that a spreadsheet would run as a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
