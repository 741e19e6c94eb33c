"""A PostgreSQL URL can be given later: tables and statements compile for it."""

from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlalchemy import ClauseElement, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import Executable

from center.store import tables
from center.store.rows import announcements as announcement_rows
from center.store.rows import deliveries, hubs, incidents, needs, parts, presses
from center.store.tables import records


def compiled(one: ClauseElement) -> str:
    return str(one.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def statements(module: ModuleType) -> Iterator[ClauseElement]:
    for held in vars(module).values():
        if isinstance(held, Executable) and isinstance(held, ClauseElement):
            yield held


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=str)
def test_a_table_is_made(table: Table) -> None:
    made = compiled(CreateTable(table))
    assert made.strip().startswith("CREATE TABLE")
    for index in table.indexes:
        assert "CREATE INDEX" in compiled(CreateIndex(index))


@pytest.mark.parametrize(
    "module",
    [
        incidents,
        hubs,
        needs,
        parts,
        presses,
        announcement_rows,
        deliveries,
    ],
)
def test_prepared_statements_are_understood(module: ModuleType) -> None:
    found = [compiled(one) for one in statements(module)]
    assert found
    assert not [sql for sql in found if "PRAGMA" in sql]


def test_a_name_is_taken_out_of_a_record() -> None:
    sql = compiled(select(records.c.record["name"].as_string()))
    assert "->>" in sql


def test_an_incident_is_locked_while_it_is_decided() -> None:
    assert "FOR UPDATE" in compiled(incidents._BY_ID_LOCKED)
