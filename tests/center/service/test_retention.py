"""Old rows are deleted by their table's rule, in small batches; open ones never are."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from center.config import Center
from center.domain.incident import Deed, Entry
from center.service import retention, rounds
from center.store import tables
from center.store.dialect import AUDIT_KEPT_S
from center.store.rows import audit, incidents
from center.store.rows.incidents import Which
from center.store.store import Store
from center.store.tables import need_parts, needs
from hub.contract.scaip import What
from tests.center.counter import Counter, at_counter
from tests.center.making import HUB, NOW, event, hear, stored

YEAR_S = 366 * 86_400.0
OLD = NOW - 10 * YEAR_S
AGED = sorted({rule.table.name for rule in retention.RULES if not rule.for_ever})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def row(table: Table, number: int) -> dict[str, object]:
    """Make a row in which every time is long ago."""
    columns = [column for column in table.columns if column.name != "seq"]
    return {column.name: _value(column, number) for column in columns}


def _value(column: Column[object], number: int) -> object:
    if column.name == "stage":
        return "closed"
    if column.name == "incident" and column.nullable:
        return None
    match column.type:
        case Float():
            return OLD
        case Boolean():
            return False
        case Integer():
            return number
        case JSON():
            return {}
        case LargeBinary():
            return b"of long ago"
        case _:
            return f"{column.name}-{number}"


def fill(store: Store, count: int) -> None:
    """Fill each table that ages with rows of long ago."""

    def job(conn: Connection) -> None:
        for name in AGED:
            table = tables.metadata.tables[name]
            conn.execute(insert(table), [row(table, number) for number in range(1, count + 1)])

    store.submit(job).result(120)


def count(store: Store, table: Table) -> int:
    return store.read(lambda conn: conn.scalar(select(func.count()).select_from(table))) or 0


async def forget(counter: Counter) -> None:
    for rule in retention.RULES:
        await rounds.forget(counter.desk, rule, NOW)


def test_every_table_has_a_rule_and_every_rule_a_reason() -> None:
    assert {rule.table.name for rule in retention.RULES} == set(tables.metadata.tables)
    names = {field.name for field in msgspec.structs.fields(Center)}
    for rule in retention.RULES:
        assert rule.why
        assert {rule.keep, rule.most} - {""} <= names


def test_what_is_old_goes_from_every_table_at_size(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        fill(counter.store, 3000)
        await forget(counter)
        await forget(counter)  # what goes with its task or announcement
        left = {name: count(counter.store, tables.metadata.tables[name]) for name in AGED}
        assert {name: held for name, held in left.items() if held > 3} == {}

    at_counter(tmp_path, story)


def test_a_call_waits_for_one_batch_at_most(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        fill(counter.store, 5000)
        forgetting = asyncio.ensure_future(forget(counter))
        slowest, calls, start = 0.0, 0, time.perf_counter()
        while not forgetting.done():
            calls += 1
            hub = f"js-{calls:04}"
            said = event(alarm=f"b2-{calls}", hub=hub, at=NOW)
            began = time.perf_counter()
            await asyncio.to_thread(hear, counter.store, said, hub, NOW)
            slowest = max(slowest, time.perf_counter() - began)
        took = time.perf_counter() - start
        assert calls > 10
        assert slowest < took / 4  # 0.03 s of many where it was measured
        assert len(counter.store.read(incidents.incidents, Which.OPEN, 10_000)) == calls

    at_counter(tmp_path, story)


def test_an_open_incident_is_kept_with_all_that_is_of_it(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(at=OLD), utc=OLD)
        hear(counter.store, event(What.REPEATED, at=OLD), utc=OLD + 60)
        await forget(counter)
        case = counter.store.read(incidents.case, "b1-1")
        assert case
        assert [entry.deed for entry in case.timeline] == [Deed.RAISED, Deed.REPEATED]
        assert count(counter.store, tables.events) == 2

    at_counter(tmp_path, story)


def test_a_task_that_waits_is_kept_with_its_homes(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        need, part = row(needs, 1), row(need_parts, 1)
        need |= {"done_utc": None}
        part |= {"need": need["id"], "over_utc": None}
        counter.store.submit(lambda conn: conn.execute(insert(needs).values(need))).result(10)
        counter.store.submit(lambda conn: conn.execute(insert(need_parts).values(part))).result(10)
        await forget(counter)
        assert [count(counter.store, table) for table in (needs, need_parts)] == [1, 1]

    at_counter(tmp_path, story)


def test_what_was_opened_again_since_it_was_looked_at_stays(store: Store) -> None:
    hear(store, event(at=OLD), utc=OLD)
    this = tables.incidents.update().values(stage="closed")
    store.submit(lambda conn: conn.execute(this)).result(10)
    rule = next(rule for rule in retention.RULES if rule.table is tables.incidents)
    keys = store.read(retention.due, rule, Center(), NOW)
    assert len(keys) == 1
    hear(store, event(What.REPEATED, at=NOW), utc=NOW)
    drop = partial(retention.drop, rule=rule, center=Center(), at=NOW, keys=keys)
    assert store.submit(drop).result(10) == 0
    assert store.read(incidents.incident_of, HUB, "b1-1")


def test_the_audit_gives_up_nothing_that_the_law_asks_for(store: Store, tmp_path: Path) -> None:
    ages_s = (AUDIT_KEPT_S - 86_400, AUDIT_KEPT_S + 86_400)

    def job(conn: Connection) -> None:
        for age_s in ages_s:
            audit.write_line(conn, Entry(time.time() - age_s, Deed.SIGNED_IN, version=0))

    store.submit(job).result(10)
    with closing(sqlite3.connect(tmp_path / "center.db")) as database:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute("DELETE FROM audit WHERE seq = 1")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute("UPDATE audit SET deed = 'x' WHERE seq = 2")
        assert database.execute("DELETE FROM audit WHERE seq = 2").rowcount == 1
    with pytest.raises(IntegrityError):
        store.submit(lambda conn: conn.execute(tables.audit.delete())).result(10)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"audit_keep_s": AUDIT_KEPT_S - 1}, Center)


def test_a_clock_that_jumps_years_ahead_costs_an_hour_a_round(store: Store) -> None:
    def advance(now: float) -> float:
        return store.submit(lambda conn: retention.advance(conn, now)).result(10)

    assert advance(NOW) == NOW
    assert advance(NOW + 600) == NOW + 600
    assert advance(NOW + 12 * YEAR_S) == NOW + 600 + retention.STEP_S
    assert advance(NOW + 1200) == NOW + 1200


def test_a_centre_that_was_off_goes_on_from_where_it_was(store: Store) -> None:
    line = Entry(NOW, Deed.SIGNED_IN, version=0)
    store.submit(lambda conn: audit.write_line(conn, line)).result(10)
    months_s = 90 * 86_400.0
    at = store.submit(lambda conn: retention.advance(conn, NOW + months_s)).result(10)
    assert at == NOW + retention.STEP_S


def test_the_rounds_forget_by_themselves(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        fill(counter.store, 300)
        walking = asyncio.ensure_future(rounds.prune(counter.desk))
        async with asyncio.timeout(30):
            while count(counter.store, tables.telemetry):  # noqa: ASYNC110 - the database changes
                await asyncio.sleep(0.01)
        walking.cancel()

    at_counter(tmp_path, story)
