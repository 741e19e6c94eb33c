"""A PostgreSQL URL can be given later: tables and statements compile for it."""

from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlalchemy import ClauseElement, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import Executable

from center import home_rows, queries, rows, tables
from center.announcing import delivery_rows
from center.announcing import rows as announcement_rows
from center.home_tables import records
from center.homes import need_rows, part_rows, press_rows


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
        rows,
        queries,
        home_rows,
        need_rows,
        part_rows,
        press_rows,
        announcement_rows,
        delivery_rows,
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
    assert "FOR UPDATE" in compiled(rows._BY_ID)
