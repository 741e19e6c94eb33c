"""Messages of hubs for tests, from invented people and homes."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from center.config import Center
from center.domain.by_hubs import Heard, fold
from center.domain.incident import Incident
from center.service import retention
from center.service.intake import Received, Told, store_message
from center.store.store import Store
from hub.contract import wire
from hub.contract.messages import (
    AlarmBrief,
    AlarmData,
    AlarmEvent,
    Availability,
    FromHub,
    HubState,
    Stage,
)
from hub.contract.scaip import Kind, What, of_alarm

HUB = "js-0001"
NOW = 1_790_000_000.0
NAMES = ("김하늘", "박바다")
_numbers = itertools.count(1)


def event(
    what: What = What.RAISED, alarm: str = "b1-1", ident: str = "", hub: str = HUB, at: float = NOW
) -> AlarmEvent:
    """Make an event; without `ident` it is one that was never seen before."""
    if not ident:
        ident = alarm if what is What.RAISED else f"{alarm}-{next(_numbers)}"
    return AlarmEvent(
        id=ident,
        source=wire.source(hub),
        type=f"anbu.alarm.{what}",
        time=wire.timestamp(at),
        data=AlarmData(
            alarm=alarm,
            kind=Kind.HELP_BUTTON,
            what=what,
            device="button",
            place="거실",
            boot="b1",
            order=1,
            at=1.0,
            synced=True,
            scaip=of_alarm(Kind.HELP_BUTTON, what, "거실", alarm),
        ),
    )


def heard(what: What, utc: float, alarm: str = "b1-1") -> Heard:
    """Make an event in the form in which the domain gets it."""
    return Heard(event(what, alarm), HUB, alarm, utc - 0.5, utc)


def raised(utc: float = NOW) -> Incident:
    """Make an incident that has just come in."""
    return fold(None, heard(What.RAISED, utc)).incident


def state(
    said: Availability = Availability.READY,
    *briefs: tuple[str, Stage, int],
    faults: tuple[str, ...] = (),
    utc: float = NOW,
) -> HubState:
    """Make a hub's state."""
    alarms = tuple(AlarmBrief(*brief) for brief in briefs)
    return HubState(said, utc, synced=True, boot="b1", software="0.1.0", interval_s=30.0,
                    alarms=alarms, faults=faults)  # fmt: skip


def received(
    message: FromHub, hub: str = HUB, utc: float | None = None, *, retained: bool = False
) -> Received:
    """Wrap a message as it comes from the wire."""
    when = time.time() if utc is None else utc
    return Received(hub, message, wire.encode(message).decode(), retained, when)


def hear(store: Store, message: FromHub, hub: str = HUB, utc: float | None = None) -> Told:
    """Store a message; return what follows from it."""
    one = received(message, hub, utc)
    return store.submit(lambda conn: store_message(conn, one)).result(10)


def forget(store: Store, before_utc: float) -> None:
    """Forget the days before a moment, as the rounds do."""
    center = Center()
    for rule in retention.RULES:
        at = before_utc + center.days_keep_s
        while keys := store.read(retention.due, rule, center, at):
            job = partial(retention.drop, rule=rule, center=center, at=at, keys=keys)
            assert store.submit(job).result(10)


@contextmanager
def stored(folder: Path) -> Iterator[Store]:
    """Open a database in `folder`."""
    store = Store(f"sqlite:///{folder / 'center.db'}")
    try:
        yield store
    finally:
        store.close()


def moved(incident: Incident, **fields: object) -> Incident:
    """Return the incident with other fields."""
    return replace(incident, **fields)
