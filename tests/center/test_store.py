"""The store on a real SQLite file: durable, batched, append-only, and honest when it fails."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from center.domain.incident import Deed
from center.store import tables
from center.store.dialect import StoreError
from center.store.rows import audit, incidents
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.messages import Stage
from hub.contract.scaip import What
from tests.center import making
from tests.center.making import HUB, hear, stored

CHILD = """
import sys
from center.store.store import Store
from tests.center.making import event, hear
store = Store(sys.argv[1])
for number in range(100_000):
    hear(store, event(alarm=f"b1-{number}"))
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def put(key: str, value: str = "") -> Callable[[Connection], str]:
    def job(conn: Connection) -> str:
        conn.execute(insert(tables.meta).values(key=key, value=value))
        return key

    return job


def test_what_is_asked_of_sqlite_is_granted(store: Store) -> None:
    def asked(conn: Connection) -> list[object]:
        names = ("journal_mode", "synchronous")
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert store.submit(asked).result(10) == ["wal", 2]
    assert store.read(asked) == ["wal", 2]


def test_an_event_that_comes_twice_is_one(store: Store) -> None:
    first, second = (hear(store, making.event()) for _ in range(2))
    assert not first.duplicate
    assert second.duplicate
    assert [ack.event for ack in (*first.acks, *second.acks)] == ["b1-1", "b1-1"]
    case = store.read(incidents.case, "b1-1")
    assert case
    assert case.incident.version == 1
    assert [entry.deed for entry in case.timeline] == [Deed.RAISED]


def test_what_is_read_is_what_was_stored(store: Store) -> None:
    told = hear(store, making.event(), utc=making.NOW)
    hear(store, making.event(What.REPEATED), utc=making.NOW + 5)
    (one,) = store.read(incidents.incidents, Which.OPEN)
    assert told.acks[0].alarm == one.alarm
    assert (one.kind, one.place, one.stage, one.version) == (
        "help_button",
        "거실",
        Stage.RECEIVED,
        2,
    )
    assert (one.raised_utc, one.received_utc) == (making.NOW, making.NOW)
    assert one == store.read(incidents.incident, one.id)
    assert store.read(incidents.incident_of, HUB, "b1-1") == one


def test_pages_of_incidents_neither_miss_nor_repeat_one(store: Store) -> None:
    for number in range(7):  # some of one moment
        hear(store, making.event(alarm=f"b1-{number}"), utc=making.NOW + number // 3)
    found: list[str] = []
    while page := store.read(incidents.incidents, Which.ALL, 2, found[-1] if found else None):
        found += [one.id for one in page]
    assert found == [f"b1-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]


def test_two_hubs_may_use_the_same_alarm_id_and_neither_is_lost(store: Store) -> None:
    hear(store, making.event(alarm="same"))
    hear(store, making.event(alarm="same", hub="js-0002"), hub="js-0002")
    hear(store, making.event(alarm="../한글 /?"))
    found = store.read(incidents.incidents, Which.OPEN)
    assert {(one.hub, one.alarm) for one in found} == {
        (HUB, "same"), ("js-0002", "same"), (HUB, "../한글 /?"),
    }  # fmt: skip
    assert all(incidents._FIT.fullmatch(one.id) for one in found)


def test_a_batch_is_one_commit(store: Store) -> None:
    commits: list[Connection] = []
    event.listen(store._engine, "commit", commits.append)
    gate, entered = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        entered.set()
        assert gate.wait(10)

    blocked = store.submit(wait)
    assert entered.wait(10)
    waiting = [store.submit(put(f"key {number}")) for number in range(50)]
    gate.set()
    blocked.result(10)
    assert [done.result(10) for done in waiting] == [f"key {number}" for number in range(50)]
    assert len(commits) == 2


def test_a_job_that_fails_takes_no_neighbour_along(store: Store) -> None:
    gate = threading.Event()
    store.submit(lambda _: gate.wait(10))
    keys = ["a", "b", "a", "c"]
    waiting = [store.submit(put(key)) for key in keys]
    gate.set()
    assert [type(done.exception(10)) for done in waiting] == [
        type(None), type(None), IntegrityError, type(None),
    ]  # fmt: skip
    held = store.read(lambda conn: set(conn.scalars(select(tables.meta.c.key))))
    assert {"a", "b", "c"} <= held


def test_a_database_error_is_told_until_a_commit_works(store: Store) -> None:
    store.submit(put("a")).result(10)
    assert store.submit(put("a")).exception(10)
    assert store.state().trouble == "IntegrityError"
    store.submit(put("b")).result(10)
    assert store.state().ok


def test_nobody_can_change_or_delete_a_line_of_the_audit(store: Store) -> None:
    hear(store, making.event())
    for sql in (text("UPDATE audit SET by = 'x'"), text("DELETE FROM audit")):
        error = store.submit(partial(Connection.execute, statement=sql)).exception(10)
        assert isinstance(error, SQLAlchemyError)
        assert "append-only" in str(error)
    assert len(store.read(audit.search)) == 1


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'center.db'}"
    child = subprocess.Popen([sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    answered = [int(next(child.stdout)) for _ in range(40)]
    os.kill(child.pid, signal.SIGKILL)
    answered += [int(line) for line in child.stdout if line.endswith("\n")]
    child.wait()
    child.stdout.close()
    with stored(tmp_path) as store:
        held = store.read(lambda conn: set(conn.scalars(select(tables.events.c.alarm))))
        assert {f"b1-{number}" for number in answered} <= held
        assert len(held) <= len(answered) + 1
        assert hear(store, making.event(alarm="b1-0")).duplicate


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "center.db").write_text("this is a letter" * 100)
    with pytest.raises(StoreError, match="not a database"), stored(tmp_path):
        pass


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        store.submit(lambda conn: conn.execute(text("UPDATE meta SET value = '99'"))).result(10)
    with pytest.raises(StoreError, match="schema 99"), stored(tmp_path):
        pass


def test_a_pragma_that_is_not_granted_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match="journal_mode = memory, but wal is needed"):
        Store("sqlite://")
