"""A hundred thousand bad messages: each is counted and dropped, and delays nobody."""

import random
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import select

from center.domain.announcement import Delivery, Fate
from center.link.session import Arrived
from center.service import inbox
from center.service.inbox import Inbox
from center.service.metrics import Tally
from center.service.rate_limit import Offered, Passed, RateLimit
from center.store.rows import audit, days, incidents, installations, needs
from center.store.rows import deliveries as delivery_rows
from center.store.rows import hubs as hub_rows
from center.store.rows.incidents import Which
from center.store.store import Store
from center.store.tables import deliveries, surplus
from hub.contract import examples, wire
from hub.contract.messages import (
    Availability,
    CheckInResult,
    FaultKind,
    FaultReport,
    FromHub,
    Reply,
    ReportData,
    ReportEvent,
    Stage,
    Telemetry,
)
from hub.contract.scaip import Care, Report, What, of_report
from tests.center.counter import Recorder
from tests.center.linked import Told
from tests.center.lives import activity, care, check_in, word
from tests.center.making import HUB, NOW, event, state, stored

CASES = 100_000
ANNOUNCED = "a-0"
REPORT = ReportData(Report.LINK_BACK, 3.0, synced=True, scaip=of_report(Report.LINK_BACK, "r"))
GOOD: tuple[tuple[str, FromHub], ...] = (
    ("event", event()),
    ("event", event(What.CANCELLED, ident="b1-2")),
    ("event", ReportEvent("r1", wire.source(HUB), "anbu.report.link_back", "2026", REPORT)),
    ("event", check_in(CheckInResult.MISSED, ident="c1")),
    ("event", care(Care.LOW_MOOD, ident="n1", score=4)),
    ("activity", activity(NOW, pir1=3)),
    ("state", state(Availability.READY, ("b1-1", Stage.SENT, 0), faults=("a",))),
    ("state", state(Availability.LOST)),
    ("fault/stuck", FaultReport("stuck", FaultKind.STUCK, "button", NOW, synced=True)),
    ("telemetry", Telemetry(NOW, synced=True, readings={"temperature_c": 20.0})),
    ("install", examples.INSTALLED),
    ("reply", Reply("c1", done=True)),
    ("reply", Reply(ANNOUNCED, done=False, reason="expired")),
    ("event", word(ANNOUNCED)),
)
ODD: tuple[object, ...] = (
    None, True, -1, 0, 10**18, 10**25, 10**400, 1e308, -1e308, 1e-320, "", "\x00", "한" * 3000,
    "ready", "b1-1", "'; DROP TABLE events; --", [], {}, [[[]]], {"a": {"b": []}}, ["x"] * 2000,
)  # fmt: skip
PARTS = (
    "event",
    "state",
    "fault/x",
    "fault/",
    "fault",
    "telemetry",
    "activity",
    "reply",
    "ack",
    "cmd",
    "",
    "x/y",
)
BYTES = (b"", b"\x00", b"null", b"[]", b"{}", b"[" * 9000, b"\xff\xfe", b'{"type":"anbu.report.x"}')


def mangled(dice: random.Random, message: FromHub) -> bytes:
    """Return the message's bytes, most of the time with something wrong in them."""
    payload = wire.encode(message)
    match dice.randrange(5):
        case 0:
            bad = bytearray(payload)
            for _ in range(dice.randint(1, 4)):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            return bytes(bad)
        case 1:
            return payload[: dice.randrange(len(payload))]
        case 2:
            return dice.choice(BYTES)
        case 3:
            return payload + dice.randbytes(dice.choice((1, 20_000)))
        case _:
            return msgspec.json.encode(_changed(dice, msgspec.json.decode(payload)))


def _changed(dice: random.Random, said: dict[str, object]) -> dict[str, object]:
    key = dice.choice(list(said))
    inner = said[key]
    if isinstance(inner, dict) and inner and dice.random() < 0.7:
        said[key] = _changed(dice, inner)
    elif dice.random() < 0.2:
        del said[key]
    else:
        said[key] = dice.choice(ODD)
    return said


def address(dice: random.Random, part: str) -> str:
    """Return a topic, most of the time a right one."""
    if dice.random() < 0.9:
        return wire.topic(HUB, part)
    return dice.choice(
        (
            wire.topic(HUB, dice.choice(PARTS)),
            wire.topic("", part),
            wire.topic("js-0001\x00", part),
            f"anbu/2/{HUB}/{part}",
            f"anbu/1/{'가' * 5000}/{part}",
            "anbu",
            "",
        )
    )


def test_nonsense_is_dropped_and_a_press_among_it_is_not(tmp_path: Path) -> None:
    dice = random.Random(20_260_101)  # noqa: S311 - the same nonsense in every run
    settled: list[bool] = []
    with stored(tmp_path) as store:
        link = Recorder(lambda: NOW)
        tally = Tally({})
        announce(store)
        store.submit(lambda conn: installations.begin(conn, HUB, "최설치", NOW)).result(60)
        box = Inbox(store, Told(), tally, lambda: NOW, lambda: link, Wide())
        for number in range(CASES):
            part, message = dice.choice(GOOD)
            arrived = Arrived(
                address(dice, part),
                mangled(dice, message),
                dice.random() < 0.1,
                partial(settled.append, True),  # noqa: FBT003 - a list of ticks
            )
            inbox.receive(box, arrived)
            if number % 10_000 == 0:
                press(box, f"press-{number}")
        store.submit(lambda _: None).result(60)
        assert len(settled) == CASES
        assert inbox.UNSTORABLE not in tally.refused()
        assert set(tally.refused()) >= {reason.value for reason in wire.Reason} - {
            wire.Reason.EXPIRED, wire.Reason.REPLAYED, wire.Reason.UNKNOWN, wire.Reason.NOT_NOW,
        }  # fmt: skip
        assert store.state().ok
        heard(store, link)


class Wide(RateLimit):
    """A rate limit that lets an hour's bad messages pass in a second."""

    def offer(self, offered: Offered) -> Passed:
        offered.pass_on()
        return Passed.NOW


def announce(store: Store) -> None:
    """Store a waiting announcement to the home: random messages may then refer to it."""
    values = msgspec.to_builtins(Delivery(ANNOUNCED, HUB, Fate.WAITING, NOW))
    store.submit(lambda conn: conn.execute(deliveries.insert().values(values))).result(10)


def press(box: Inbox, alarm: str) -> None:
    inbox.receive(box, Arrived(wire.topic(HUB, "event"), wire.encode(event(alarm=alarm)),
                               retained=False, settle=list))  # fmt: skip


def heard(store: Store, link: Recorder) -> None:
    """Check that every press among the bad messages is open and was acknowledged."""
    presses = {f"press-{number}" for number in range(0, CASES, 10_000)}
    shared = store.read(lambda conn: set(conn.scalars(select(surplus.c.alarm))))
    assert presses <= shared | {
        one.id for one in store.read(incidents.incidents, Which.OPEN, CASES)
    }
    assert presses <= {ack.event for _, ack in link.sent if ack.stage is Stage.RECEIVED}
    assert all(one.is_open for one in store.read(incidents.incidents, Which.ALL, CASES))
    store.read(hub_rows.known)
    store.read(needs.still_open)
    store.read(days.hours, HUB, -1e308, 1e308)
    store.read(days.of_home, HUB, "")
    store.read(audit.search, audit.ALL, CASES)
    (announced,) = store.read(delivery_rows.of_announcement, ANNOUNCED)
    assert announced.fate is Fate.SPOKEN
