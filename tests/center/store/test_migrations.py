"""An old database opens: nothing in it is lost, and what is new is there."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from center.domain.announcement import Announcement, Draft
from center.domain.incident import Deed
from center.store import tables
from center.store.dialect import StoreError
from center.store.rows import announcements, audit, incidents
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.scaip import What
from tests.center.making import HUB, NOW, event, hear, stored

# as the program of schema 1 made them
SCHEMA_1 = """
CREATE TABLE meta ("key" VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE events (seq INTEGER NOT NULL, source VARCHAR NOT NULL, id VARCHAR NOT NULL,
  type VARCHAR NOT NULL, hub VARCHAR NOT NULL, alarm VARCHAR, stored_utc FLOAT NOT NULL,
  raw TEXT NOT NULL, PRIMARY KEY (seq), UNIQUE (source, id));
CREATE TABLE incidents (id VARCHAR NOT NULL, hub VARCHAR NOT NULL, alarm VARCHAR NOT NULL,
  kind VARCHAR NOT NULL, device VARCHAR NOT NULL, place VARCHAR NOT NULL, stage VARCHAR NOT NULL,
  version INTEGER NOT NULL, staged INTEGER NOT NULL, raised_utc FLOAT NOT NULL,
  synced BOOLEAN NOT NULL, received_utc FLOAT NOT NULL, waiting_utc FLOAT NOT NULL,
  last_utc FLOAT NOT NULL, last_deed VARCHAR NOT NULL, last_by VARCHAR NOT NULL,
  who VARCHAR NOT NULL, presses INTEGER NOT NULL, accepted_utc FLOAT, expires_utc FLOAT,
  present_utc FLOAT, closed_utc FLOAT, cancelled_utc FLOAT, cancel_asked_utc FLOAT,
  reopened_utc FLOAT, outcome VARCHAR, PRIMARY KEY (id), UNIQUE (hub, alarm));
CREATE TABLE audit (seq INTEGER NOT NULL, incident VARCHAR, utc FLOAT NOT NULL,
  deed VARCHAR NOT NULL, version INTEGER NOT NULL, "by" VARCHAR NOT NULL, event VARCHAR NOT NULL,
  happened_utc FLOAT, synced BOOLEAN NOT NULL, device VARCHAR NOT NULL, place VARCHAR NOT NULL,
  outcome VARCHAR, text TEXT NOT NULL, PRIMARY KEY (seq));
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TABLE hubs (hub VARCHAR NOT NULL, state VARCHAR NOT NULL, heard_utc FLOAT NOT NULL,
  boot VARCHAR NOT NULL, software VARCHAR NOT NULL, interval_s FLOAT NOT NULL,
  synced BOOLEAN NOT NULL, PRIMARY KEY (hub));
INSERT INTO meta VALUES ('schema', '1');
INSERT INTO events VALUES (1, '/anbu/hub/js-0001', 'b1-1', 'anbu.alarm.raised', 'js-0001',
  'b1-1', 1790000000.0, '{}');
INSERT INTO incidents VALUES ('b1-1', 'js-0001', 'b1-1', 'help_button', 'button', '거실',
  'received', 1, 1, 1789999999.0, 1, 1790000000.0, 1790000000.0, 1790000000.0, 'raised', '', '', 1,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO audit VALUES (1, 'b1-1', 1790000000.0, 'raised', 1, '', 'b1-1', 1789999999.0, 1,
  'button', '거실', NULL, '');
INSERT INTO hubs VALUES ('js-0001', 'ready', 1790000500.0, 'b1', '0.1.0', 30.0, 1);
"""

# what schema 2 added to the tables of schema 1; its own tables are as they are today
SCHEMA_2 = """
ALTER TABLE incidents ADD COLUMN cleared_utc FLOAT;
ALTER TABLE incidents ADD COLUMN evidence JSON;
ALTER TABLE audit ADD COLUMN hub VARCHAR DEFAULT '' NOT NULL;
CREATE INDEX audit_by_hub ON audit (hub, seq);
ALTER TABLE hubs ADD COLUMN first_utc FLOAT;
UPDATE hubs SET first_utc = 1780000000.0;
UPDATE meta SET value = '2';
"""


def old(folder: Path, more: str = "") -> None:
    with contextlib.closing(sqlite3.connect(folder / "center.db")) as database:
        database.executescript(SCHEMA_1 + more)


def columns(store: Store, table: str) -> set[str]:
    return store.read(lambda conn: {one["name"] for one in inspect(conn).get_columns(table)})


def test_an_old_database_opens_with_all_that_is_in_it(tmp_path: Path) -> None:
    old(tmp_path)
    with stored(tmp_path) as store:
        (one,) = store.read(incidents.incidents, Which.OPEN)
        assert (one.id, one.place, one.cleared_utc, one.evidence) == ("b1-1", "거실", None, None)
        (line,) = store.read(audit.search)
        assert (line.entry.deed, line.entry.hub) == (Deed.RAISED, "")
        assert hear(store, event(), utc=NOW).duplicate
        hear(store, event(What.CLEARED), utc=NOW + 60)
        (again,) = store.read(incidents.incidents, Which.OPEN)
        assert again.cleared_utc == NOW + 60
    with stored(tmp_path) as store:  # and it is new from now on
        held = store.read(lambda conn: conn.scalar(text("SELECT value FROM meta")))
        assert held == str(tables.SCHEMA)


def test_an_old_database_has_every_column_that_a_new_one_has(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old(tmp_path / "old")
    with stored(tmp_path / "old") as migrated, stored(tmp_path) as fresh:
        for table in tables.metadata.tables:
            assert columns(migrated, table) == columns(fresh, table), table


def test_an_old_database_has_every_index_that_a_new_one_has(tmp_path: Path) -> None:
    def indexes(store: Store, table: str) -> set[str | None]:
        return store.read(lambda conn: {one["name"] for one in inspect(conn).get_indexes(table)})

    (tmp_path / "old").mkdir()
    old(tmp_path / "old", SCHEMA_2)
    with stored(tmp_path / "old") as migrated, stored(tmp_path) as fresh:
        for table in tables.metadata.tables:
            assert indexes(migrated, table) == indexes(fresh, table), table


def test_an_audit_that_was_kept_for_ever_is_kept_for_years(tmp_path: Path) -> None:
    old(
        tmp_path,
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;"
        "INSERT INTO audit VALUES (2, NULL, 1400000000.0, 'signed_in', 0, 'x', '', NULL, 1, '', "
        "'', NULL, '');"
        "INSERT INTO audit VALUES (3, NULL, CAST(strftime('%s', 'now') AS REAL), 'signed_in', 0, "
        "'x', '', NULL, 1, '', '', NULL, '');",
    )
    with stored(tmp_path) as store:
        store.submit(lambda conn: conn.execute(text("DELETE FROM audit WHERE seq = 2"))).result(10)
        with pytest.raises(IntegrityError):
            store.submit(lambda conn: conn.execute(text("DELETE FROM audit"))).result(10)


def test_a_home_is_judged_from_its_first_event_on(tmp_path: Path) -> None:
    old(tmp_path)
    with stored(tmp_path) as store:
        first = store.read(lambda conn: conn.execute(tables.hubs.select()).one())
        assert (first.hub, first.first_utc) == (HUB, NOW)


def test_a_database_without_announcements_gets_their_tables_and_keeps_the_rest(
    tmp_path: Path,
) -> None:
    (tmp_path / "old").mkdir()
    old(tmp_path / "old", SCHEMA_2)
    with stored(tmp_path / "old") as store, stored(tmp_path) as fresh:
        for table in tables.metadata.tables:
            assert columns(store, table) == columns(fresh, table), table
        assert store.read(lambda conn: conn.scalar(text("SELECT value FROM meta"))) == str(
            tables.SCHEMA
        )
        first = store.read(lambda conn: conn.execute(tables.hubs.select()).one())
        assert first.first_utc == 1780000000.0
        draft = Draft("물을 자주 드세요.", until_utc=NOW + 3600, key="k")
        sent = store.submit(lambda conn: announcements.put(conn, draft, "김하늘", NOW)).result(10)
        assert isinstance(sent, Announcement)
        assert sent.homes == 1


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    old(tmp_path, "ALTER TABLE hubs ADD COLUMN first_utc FLOAT;")  # so that adding it fails, last
    with pytest.raises(StoreError), stored(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "center.db")) as database:
        assert database.execute("SELECT value FROM meta").fetchall() == [("1",)]
        names = {row[1] for row in database.execute("PRAGMA table_info(incidents)")}
        assert "cleared_utc" not in names


@pytest.mark.parametrize("schema", ["99", "0", "x"])
def test_a_schema_that_nobody_knows_is_left_alone(tmp_path: Path, schema: str) -> None:
    old(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "center.db")) as database:
        database.execute("UPDATE meta SET value = ?", (schema,))
        database.commit()
    with pytest.raises(StoreError, match="schema"), stored(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "center.db")) as database:
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'needs'").fetchall()
