"""Make a fixture: what the hub and the centre of an earlier commit have written to their disks.

Run in a checkout of that commit, with the packages of this one:

    git worktree add /tmp/earlier COMMIT && cd /tmp/earlier
    PYTHONPATH=. python REPO/tests/releases/make.py COMMIT > REPO/tests/releases/COMMIT.json

It uses that commit's own program and its own scenes; people and homes in it do not exist.
"""

# ruff: noqa: T201 - it prints its result

import contextlib
import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from center.domain import by_people
from center.domain.by_people import Act, Refusal
from center.domain.incident import Change, Incident, Outcome
from center.store.rows import accounts, incidents
from center.store.store import Store
from hub.contract.messages import Availability, FaultKind, FaultReport, Stage, Telemetry
from hub.contract.wire import LinkTrouble
from hub.core.decide import decide
from hub.core.model.events import DriverFailed, Event, Heartbeat, LinkDown
from hub.core.model.state import HomeState
from hub.process.blackbox import Entry, Opening
from tests.center import making
from tests.hub.core import scenes

UTC = scenes.UTC


def lived() -> list[Event]:
    """Return the events of a day: a call that somebody took, a cord, a driver that fails."""
    return [
        *scenes.press(10.0),
        scenes.received(11.0),
        scenes.accepted(12.0),
        DriverFailed(20.0, "cord", "no such pin"),
        *scenes.press(30.0, scenes.CORD),
        LinkDown(31.0, LinkTrouble.CLOSED),
        Heartbeat(40.0, UTC + 40.0, synced=True),
    ]


def hub() -> tuple[bytes, list[str]]:
    """Return the snapshot at the day's end, and the transcript of the day."""
    state = scenes.quiet()
    lines = [msgspec.json.encode(Opening(scenes.RULES, state)).decode()]
    for event in lived():
        state, effects = decide(state, event, scenes.RULES)
        lines.append(msgspec.json.encode(Entry(event, effects)).decode())
    if hasattr(state, "habits"):
        state = replace(state, habits=HomeState().habits)
    return msgspec.msgpack.encode(state), lines


def act(store: Store, alarm: str, do: Callable[[Incident], Change | Refusal]) -> None:
    """Do something as an operator."""

    def job(conn: Connection) -> None:
        incident = incidents.incident(conn, alarm)
        assert incident
        change = do(incident)
        assert isinstance(change, Change)
        incidents.save(conn, change)

    store.submit(job).result(10)


def center(folder: Path) -> str:
    """Return the database of the day as SQL."""
    person, now = Act("김하늘", making.NOW + 30), making.NOW
    with making.stored(folder) as store:
        making.hear(store, making.event(), utc=now)
        making.hear(store, making.event(alarm="b1-2"), utc=now + 5)
        making.hear(store, making.event(alarm="b1-3"), utc=now + 9)
        act(store, "b1-2", lambda one: by_people.take(one, person))
        act(store, "b1-3", lambda one: by_people.close(one, person, Outcome.REASSURED))
        fault = FaultReport("help:stuck", FaultKind.STUCK, "help", now, synced=True)
        ready = making.state(
            Availability.READY, ("b1-1", Stage.RECEIVED, 1), faults=("help:stuck",)
        )
        for message in (fault, ready, Telemetry(now, synced=True, readings={"rss_mb": 31.5})):
            making.hear(store, message, utc=now + 20)
        store.submit(
            lambda conn: accounts.put_operator(conn, now, "김하늘", "operator", "no hash")
        ).result(10)
    with contextlib.closing(sqlite3.connect(folder / "center.db")) as database:
        return "\n".join(database.iterdump())


def main() -> None:
    """Print the fixture as JSON."""
    snapshot, transcript = hub()
    with tempfile.TemporaryDirectory() as folder:
        database = center(Path(folder))
    fixture = {
        "commit": sys.argv[1],
        "snapshot": snapshot.hex(),
        "transcript": transcript,
        "database": database.split("\n"),
    }
    print(json.dumps(fixture, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
