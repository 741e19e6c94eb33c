"""This program reads what earlier ones wrote, and the next one can read what this one writes.

The fixtures are made by `releases/make.py` in checkouts of earlier commits; see its README.
"""

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from center.domain import by_people
from center.domain.by_people import Act
from center.domain.incident import Change, Outcome
from center.store import migrations, tables
from center.store.dialect import COPIES, StoreError
from center.store.rows import hubs as hub_rows
from center.store.rows import incidents
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract import wire
from hub.contract.messages import AlarmEvent, Stage
from hub.contract.scaip import What
from hub.core.decide import decide, recover
from hub.core.model.effects import Publish
from hub.core.model.events import LinkUp
from hub.core.supervision import snapshot
from hub.outbox.thread import decode_snapshot
from hub.process.blackbox import Entry, Opening
from hub.replay.transcript import replay
from tests.center.making import NOW, event, hear, stored
from tests.hub.core.scenes import FIRST, press, read, started, story

FOLDER = Path(__file__).parent / "releases"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def meta(name: str) -> str:
    """Return the description of an older database."""
    return "\n".join(line for line in fixture(name)["database"] if 'INTO "meta"' in line)


@pytest.mark.parametrize("name", NAMES)
def test_a_hub_goes_on_from_an_older_snapshot(name: str) -> None:
    kept = snapshot.decode(bytes.fromhex(fixture(name)["snapshot"]))
    assert kept.lost == ()
    (alarm, *_) = kept.state.alarms
    assert (alarm.id, alarm.life.__class__.__name__) == (FIRST, "Accepted")
    assert kept.state.owed, "the cord's pull has not been confirmed"
    assert "cord:driver_failed" in kept.state.faults
    state = recover(kept.state, started(5.0, "b2"), ())
    state, effects = story(state, started(5.0, "b2"), LinkUp(6.0, "broker"), *press(70.0))
    resent = [e for e in effects if isinstance(e, Publish) and e.topic.endswith("/event")]
    assert any(read(e).data.what is What.REPEATED for e in resent if "alarm" in str(e.payload))
    assert [one.id for one in state.alarms] == [one.id for one in kept.state.alarms]


@pytest.mark.parametrize("name", NAMES)
def test_a_hub_wakes_up_with_what_a_newer_program_wrote(name: str) -> None:
    newer = msgspec.msgpack.decode(bytes.fromhex(fixture(name)["snapshot"]))
    newer |= {"format": 2, "weather": {"wind": 3}}
    newer["alarms"][0] |= {
        "kind": "quake",
        "life": {"type": "Escorted", "by": "Kim"},
        "colour": 1,
    }
    newer["alarms"].append(newer["alarms"][0] | {"id": "b1-99", "life": {"type": "Sent"}})
    newer["faults"]["x:smoky"] = {"kind": "smoky", "device": "x", "since_utc": 1.0, "synced": True}
    state = decode_snapshot(msgspec.msgpack.encode(newer))
    assert [(one.id, one.kind) for one in state.alarms] == [
        (FIRST, "quake"),
        ("b1-99", "quake"),
    ]
    assert state.faults["x:smoky"].kind == "smoky"
    assert "alarms[0].life, format 2" in state.faults[snapshot.FAULT].detail
    back = recover(state, started(5.0, "b2"), ())
    _, effects = story(back, started(5.0, "b2"), LinkUp(6.0, "broker"))
    assert effects
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(back))
    assert again["alarms"][0]["kind"] == "quake", "the newer program finds it as it was"


@pytest.mark.parametrize("name", NAMES)
def test_an_older_transcript_is_played_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text("".join(f"{line}\n" for line in fixture(name)["transcript"]), "utf-8")
    played = replay(path)
    assert played.events
    assert any("raised" in line for line in played.story)


def opened(folder: Path, name: str, more: str = "") -> None:
    """Put an older database in place, as its program left it."""
    with closing(sqlite3.connect(folder / "center.db")) as database:
        database.executescript("\n".join(fixture(name)["database"]) + "\n" + more)


@pytest.mark.parametrize("name", NAMES)
def test_the_centre_goes_on_with_an_older_database(tmp_path: Path, name: str) -> None:
    opened(tmp_path, name)
    with stored(tmp_path) as store:
        stages = {one.id: one.stage for one in store.read(incidents.incidents, Which.ALL)}
        assert stages == {
            "b1-1": Stage.RECEIVED, "b1-2": Stage.ACCEPTED, "b1-3": Stage.CLOSED,
        }  # fmt: skip
        (hub,) = store.read(hub_rows.known)
        assert [fault.fault for fault in hub.faults] == ["help:stuck"]
        case = store.read(incidents.case, "b1-3")
        assert case
        assert case.incident.outcome is Outcome.REASSURED
        assert hear(store, event(), utc=NOW).duplicate
        assert not hear(store, event(What.CANCELLED), utc=NOW).duplicate
        assert store.read(migrations.schema_of) == tables.SCHEMA


OLDER = [name for name in NAMES if f"'{tables.SCHEMA}'" not in meta(name)]


@pytest.mark.parametrize("name", OLDER)
def test_an_older_database_is_copied_before_it_is_changed(tmp_path: Path, name: str) -> None:
    opened(tmp_path, name)
    with stored(tmp_path):
        pass
    (copy,) = tmp_path.glob("center.db.schema-*")
    with closing(sqlite3.connect(copy)) as before:
        (schema,) = before.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        assert int(schema) < tables.SCHEMA
        assert copy.name.startswith(f"center.db.schema-{schema}.")
        assert before.execute("SELECT count(*) FROM incidents").fetchone() == (3,)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            before.execute("DELETE FROM audit")
    assert copy.stat().st_mode & 0o077 == 0, "it holds what the database holds"


NEWER = """
UPDATE meta SET value = value + 1 WHERE key = 'schema';
ALTER TABLE incidents ADD COLUMN weather VARCHAR;
ALTER TABLE events ADD COLUMN colour VARCHAR NOT NULL DEFAULT 'red';
CREATE TABLE tides (hub VARCHAR PRIMARY KEY, high FLOAT NOT NULL);
UPDATE incidents SET kind = 'quake', stage = 'escorted', last_deed = 'escorted' WHERE id = 'b1-1';
UPDATE hubs SET state = 'dozing';
UPDATE operators SET role = 'nurse';
INSERT INTO audit (incident, utc, deed, version, "by", event, synced, device, place, text, hub)
  VALUES ('b1-1', 1790000100.0, 'escorted', 9, '김하늘', '', 1, '', '', '', '');
"""  # as a program of the next schema would leave it: it only adds


TOO_NEW = """
UPDATE meta SET value = (SELECT value FROM meta WHERE key = 'schema') WHERE key = 'oldest';
"""


def newer(folder: Path, more: str = "") -> None:
    """Make a database with this program, and go on with it with the next one."""
    opened(folder, NAMES[0])
    with stored(folder):
        pass
    with closing(sqlite3.connect(folder / "center.db")) as database:
        database.executescript(NEWER + more)


def test_after_a_rollback_the_centre_goes_on_with_the_newer_database(tmp_path: Path) -> None:
    newer(tmp_path)
    with stored(tmp_path) as store:
        found = {one.id: one for one in store.read(incidents.incidents, Which.OPEN)}
        assert (found["b1-1"].kind, found["b1-1"].stage) == ("quake", "escorted")
        assert found["b1-1"].needs_person
        case = store.read(incidents.case, "b1-1")
        assert case
        assert case.timeline[-1].deed == "escorted"
        told = hear(store, event(alarm="b2-1"), utc=NOW)
        assert told.acks[0].stage is Stage.RECEIVED
        take(store, "b1-1")
        assert store.read(incidents.case, "b1-1").incident.stage is Stage.ACCEPTED  # type: ignore[union-attr]
        assert store.read(migrations.schema_of) == tables.SCHEMA + 1, "and it stays the newer one's"
        kept = store.read(lambda conn: conn.scalar(text("SELECT high FROM tides")))
        assert kept is None


def take(store: Store, ident: str) -> None:
    def job(conn: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        incident = incidents.incident(conn, ident)
        assert incident
        change = by_people.take(incident, Act("김하늘", NOW + 200))
        assert isinstance(change, Change)
        incidents.save(conn, change)

    store.submit(job).result(10)


def test_a_database_that_says_that_the_program_is_too_old_is_left_alone(tmp_path: Path) -> None:
    newer(tmp_path, TOO_NEW)
    before = (tmp_path / "center.db").read_bytes()
    with pytest.raises(StoreError, match=f"schema {tables.SCHEMA + 1} or newer"), stored(tmp_path):
        pass
    assert (tmp_path / "center.db").read_bytes() == before


def test_every_column_that_is_added_may_be_left_out_by_an_older_program() -> None:
    """Else it could write nothing after a rollback, and `tables.OLDEST` would have to rise."""
    for schema, added in migrations._ADDED.items():
        for column in added:
            assert column.nullable or column.server_default is not None, (schema, column)
    assert 1 <= tables.OLDEST <= tables.SCHEMA
    added_once = [column for added in migrations._ADDED.values() for column in added]
    assert len(added_once) == len({id(column) for column in added_once})


def test_no_more_than_two_copies_are_kept(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / "center.db").unlink(missing_ok=True)
        for rest in tmp_path.glob("center.db-*"):
            rest.unlink()
        opened(tmp_path, NAMES[number % len(NAMES)])
        with stored(tmp_path):
            pass
    assert len(list(tmp_path.glob("center.db.schema-*"))) == COPIES


def test_a_database_that_cannot_be_copied_is_used_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened(tmp_path, NAMES[0])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("center.store.dialect.os.open", full)
        with stored(tmp_path) as store:
            assert store.read(migrations.schema_of) == tables.SCHEMA
    assert "NOT copied" in caplog.text
    assert not list(tmp_path.glob("center.db.schema-*"))


def test_a_database_of_this_program_is_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        with stored(tmp_path):
            pass
    assert not list(tmp_path.glob("center.db.schema-*"))


def said(name: str) -> Iterator[tuple[str, bytes]]:
    for line in map(json.loads, fixture(name)["transcript"][1:]):
        for effect in line["effects"]:
            if effect["type"] == "Publish" and effect["topic"].endswith("/event"):
                yield effect["topic"], b64decode(effect["payload"])


@pytest.mark.parametrize("name", NAMES)
def test_what_an_older_hub_said_is_stored_and_answered(tmp_path: Path, name: str) -> None:
    heard = [wire.read_from_hub(topic, payload) for topic, payload in said(name)]
    assert len(heard) > 1
    with stored(tmp_path) as store:
        for one in heard:
            assert one.lost == ()
            assert isinstance(one.message, AlarmEvent)
            assert hear(store, one.message, utc=NOW).acks[0].event == one.message.id


def old_fields(said: object, was: object) -> object:
    """What is said now, without the fields that were not said then and say nothing now."""
    match said, was:
        case dict(), dict():
            news = {key for key in said if key not in was and said[key] is None}
            return {k: old_fields(v, was.get(k)) for k, v in said.items() if k not in news}
        case list(), list() if len(said) == len(was):
            return [old_fields(*both) for both in zip(said, was, strict=True)]
        case _:
            return said


def as_said(line: str) -> object:
    entry = json.loads(line)
    for effect in entry["effects"]:
        if effect["type"] == "Publish" and effect["payload"]:
            effect["payload"] = json.loads(b64decode(effect["payload"]))
    return entry


def test_a_transcript_from_before_the_move_gives_the_same_effects() -> None:
    """7e80efa is the last commit before the modules moved; new fields may have come since."""
    first, *lines = fixture("7e80efa")["transcript"]
    opening = msgspec.json.decode(first, type=Opening)
    state, seen = opening.state, 0
    for line in lines:
        entry = msgspec.json.decode(line, type=Entry)
        state, effects = decide(state, entry.event, opening.rules)
        now, then = (
            as_said(msgspec.json.encode(Entry(entry.event, effects)).decode()),
            as_said(line),
        )
        assert old_fields(now, then) == then
        seen += len(effects)
    assert seen > len(lines), "the day did something"
