"""Messages from newer hubs, and rows of newer centres, are shown as far as they can be read."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, String, Table, text

from center.console import view
from center.console.view import Viewer
from center.domain import by_people
from center.domain.announcement import Draft
from center.domain.by_people import Act
from center.domain.equipment import Part
from center.domain.hub import Seen, seen
from center.domain.incident import Change, Deed, Entry, Incident, Outcome
from center.domain.need import Called, NeedKind, Try
from center.link.session import Arrived
from center.service import inbox, intake
from center.service.inbox import Inbox
from center.service.intake import Received
from center.service.metrics import Tally
from center.service.texts import texts
from center.store import tables
from center.store.rows import announcements, incidents, limits, parts, records
from center.store.rows import hubs as hub_rows
from center.store.rows import needs as need_rows
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract import examples, wire
from hub.contract.messages import (
    AlarmEvent,
    AnnouncementEvent,
    Availability,
    CareEvent,
    CheckInEvent,
    CheckInResult,
    Happened,
    ReportEvent,
    Stage,
    VitalLimits,
)
from hub.contract.scaip import Care, Kind
from hub.shared.language import Language
from tests.center.bodies import WILLING, quarter
from tests.center.counter import Counter, Recorder, at_counter
from tests.center.linked import Told
from tests.center.lives import activity, care, check_in
from tests.center.making import HUB, NAMES, NOW, event, hear, state, stored
from tests.center.service.test_auth import sign_in
from tests.center.test_fuzz import Wide

TORN = wire.encode(event())[:180]
FUTURE = "from-the-future"


class Desk:
    """A store and the inbox before it, without a broker."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.link = Recorder(lambda: NOW)
        self.tally = Tally({})
        self.now = NOW
        self.box = Inbox(store, Told(), self.tally, lambda: self.now, lambda: self.link, Wide())
        self.settled = 0

    def receive(self, payload: bytes, part: str = "event", hub: str = HUB) -> None:
        before = self.settled
        arrived = Arrived(wire.topic(hub, part), payload, retained=False, settle=self._settle)
        inbox.receive(self.box, arrived)
        for _ in range(10):  # what cannot be stored is tried, probed, tried again and left away
            self.store.submit(lambda _: None).result(10)
            if self.settled != before:
                break
        assert self.settled == before + 1, "the broker may forget it"

    def _settle(self) -> None:
        self.settled += 1

    def open_ones(self) -> list[Incident]:
        return self.store.read(incidents.incidents, Which.OPEN)

    def acked(self, ident: str) -> list[Stage]:
        return [ack.stage for _, ack in self.link.sent if ack.event == ident]

    def raw(self) -> list[str]:
        query = tables.events.select().order_by(tables.events.c.seq)
        return [row.raw for row in self.store.read(lambda conn: conn.execute(query).all())]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with stored(tmp_path) as store:
        yield Desk(store)


def viewer(lang: Language = Language.KOREAN) -> Viewer:
    return Viewer("김하늘", NOW, texts(lang))


def test_a_call_of_a_kind_from_the_future_rings_and_is_answered(desk: Desk) -> None:
    desk.receive(wire.encode(event()).replace(b'"help_button"', b'"from-the-future"'))
    (one,) = desk.open_ones()
    assert (one.kind, one.unread, one.needs_person) == (FUTURE, "", True)
    assert desk.acked("b1-1") == [Stage.RECEIVED]
    assert FUTURE in view.title(one, texts(Language.KOREAN))
    assert FUTURE in view.title(one, texts(Language.ENGLISH))


def test_a_call_that_cannot_be_read_whole_rings_with_what_could_be_read(desk: Desk) -> None:
    desk.receive(wire.encode(event()).replace('"거실"'.encode(), b"7", 1))
    (one,) = desk.open_ones()
    assert (one.id, one.kind, one.place, one.unread) == ("b1-1", "help_button", "", "data.place")
    assert desk.acked("b1-1") == [Stage.RECEIVED]
    case = desk.store.read(incidents.case, "b1-1")
    assert case
    assert [(line.deed, line.text) for line in case.timeline] == [
        (Deed.RAISED, ""),
        (Deed.UNREAD, "data.place"),
    ]
    assert "다 읽지 못" not in view.title(one, texts(Language.KOREAN))
    assert "일부를 읽지 못함" in [one.text for one in view.badges(one, texts(Language.KOREAN))]


def test_bytes_of_which_nothing_can_be_read_ring_and_are_kept(desk: Desk) -> None:
    desk.receive(b'\xff{"id"\x00')
    (one,) = desk.open_ones()
    assert (one.hub, one.stage, one.unread) == (HUB, Stage.RECEIVED, "*")
    assert view.title(one, texts(Language.KOREAN)) == "다 읽지 못한 호출"
    assert view.title(one, texts(Language.ENGLISH)) == "A call that could not be read whole"
    assert desk.raw() == [r'\xff{"id"\x00']


def test_the_same_bytes_sent_again_are_the_same_call(desk: Desk) -> None:
    for _ in range(3):
        desk.receive(b"{")
    (one,) = desk.open_ones()
    assert (one.presses, one.version) == (1, 1)
    assert len(desk.raw()) == 1


def test_other_unreadable_bytes_of_the_hub_are_one_more_press_of_the_same_call(desk: Desk) -> None:
    for payload in (b"{", b"[", b"{"):
        desk.receive(payload)
    (one,) = desk.open_ones()
    assert (one.presses, len(desk.raw())) == (2, 2)
    closed(desk, one)
    desk.receive(b"[")
    assert desk.open_ones() == [], "said before: nobody is rung again"
    desk.receive(b"]")
    (other,) = desk.open_ones()
    assert other.id != one.id


def closed(desk: Desk, one: Incident) -> None:
    def job(conn: Connection) -> None:
        change = by_people.close(one, Act("김하늘", NOW), Outcome.REASSURED)
        assert isinstance(change, Change)
        incidents.save(conn, change)

    desk.store.submit(job).result(10)


def test_a_torn_call_is_answered_by_the_id_that_stands_in_it(desk: Desk) -> None:
    desk.receive(TORN)
    (one,) = desk.open_ones()
    assert (one.id, one.unread) == ("b1-1", "*")
    assert desk.acked("b1-1") == [Stage.RECEIVED]
    desk.receive(wire.encode(event()))  # and the whole one is known by it
    assert [one.presses for one in desk.open_ones()] == [1]


def test_a_call_that_no_database_can_hold_still_rings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(received: Received, conn: Connection) -> intake.Told:
        if received.lost != ("*",):
            raise OverflowError  # what the driver raises for a number that no column holds
        return intake.store_message(conn, received)

    monkeypatch.setattr(inbox, "_stored", narrow)
    desk.receive(wire.encode(event(alarm="b1-3")))
    (one,) = desk.open_ones()
    assert (one.unread, one.needs_person) == ("*", True)
    assert desk.tally.refused() == {inbox.UNSTORABLE: 1}


def test_what_is_no_call_and_cannot_be_read_whole_rings_nobody(desk: Desk) -> None:
    said = wire.encode(check_in(CheckInResult.MISSED, ident="c1"))
    desk.receive(said.replace(b'"attempts":', b'"tries":'))
    assert desk.open_ones() == []
    assert desk.acked("c1") == [Stage.RECEIVED]
    (task,) = desk.store.read(need_rows.still_open)
    assert task.need.kind is NeedKind.MISSED_CHECKIN


def test_an_event_of_a_newer_family_that_can_wait_is_kept_and_answered(desk: Desk) -> None:
    said = {"id": "v1", "source": wire.source(HUB), "type": "anbu.vitals.day", "time": "2026"}
    payload = json.dumps({**said, "data": {"scaip": {"pri": 7}}}).encode()
    for _ in range(2):
        desk.receive(payload)
    assert desk.open_ones() == []
    assert desk.acked("v1") == [Stage.RECEIVED, Stage.RECEIVED]
    assert desk.raw() == [payload.decode()]


def test_a_result_that_only_a_newer_hub_knows_is_never_fine(desk: Desk) -> None:
    for fine in (CheckInResult.FINE, CheckInResult.MISSED):
        said = wire.encode(check_in(fine, ident=f"c-{fine}"))
        desk.receive(said.replace(f'"{fine}"'.encode(), b'"from-the-future"'))
    desk.receive(wire.encode(care(Care.UNWELL, ident="n1")).replace(b'"unwell"', b'"lonely"'))
    kinds = {task.need.kind.value for task in desk.store.read(need_rows.still_open)}
    assert kinds == {"unclear", "lonely"}


def test_what_was_said_does_not_stay_in_what_keeps_events(desk: Desk) -> None:
    message = event(alarm="b1-5")
    spoken = replace(message, data=replace(message.data, kind=Kind.SPOKEN, words='살려 "주세요'))
    payload = wire.encode(spoken)
    desk.receive(payload.replace(b'"synced":true', b'"synced":1,"newer":{"a":1}'))
    desk.receive(payload[: payload.index("주세요".encode())] + b" ")
    kept = desk.raw()
    assert len(kept) >= 1
    assert all("살려" not in raw for raw in kept)
    assert '"newer":{"a":1}' in kept[0], "and nothing else is taken out"


def test_a_hub_in_a_state_from_the_future_is_there(desk: Desk) -> None:
    desk.receive(wire.encode(event()))
    ready = state(Availability.READY, ("b1-1", Stage.RECEIVED, 1))
    desk.receive(wire.encode(ready).replace(b'"ready"', b'"from-the-future"'), "state")
    (hub,) = desk.store.read(hub_rows.known)
    assert (hub.state, seen(hub, NOW, NOW)) == (FUTURE, Seen.READY)


EXAMPLES = [message for message in examples.from_hub()["event"] if isinstance(message, AlarmEvent)]
IDS = {"id", "alarm"}
OTHERS = [
    message
    for message in examples.from_hub()["event"]
    if isinstance(message, CheckInEvent | CareEvent | AnnouncementEvent | ReportEvent)
]


def flawed(message: Happened) -> Iterator[bytes]:
    """Yield the message with each text replaced, each field of another type, each field missing."""
    said = json.loads(wire.encode(message))

    def walk(node: dict[str, object]) -> Iterator[None]:
        for key, value in list(node.items()):
            if key in IDS:
                continue
            odd: tuple[object, ...] = (7, None, [], {}, "x", True)
            for other in (FUTURE, *odd) if isinstance(value, str) else odd:
                node[key] = other
                yield
            del node[key]
            yield
            node[key] = value
            if isinstance(value, dict):
                yield from walk(value)

    for _ in walk(said):
        yield json.dumps(said, ensure_ascii=False).encode()


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda one: f"{one.data.kind}-{one.data.what}")
def test_whatever_single_field_is_odd_a_call_is_stored_and_answered(
    tmp_path: Path, message: AlarmEvent
) -> None:
    with stored(tmp_path) as store:
        for number, payload in enumerate(flawed(message)):
            alarm, ident = f"a-{number}", f"e-{number}"
            own = payload.replace(f'"alarm": "{message.data.alarm}"'.encode(),
                                  f'"alarm": "{alarm}"'.encode())  # fmt: skip
            own = own.replace(f'"id": "{message.id}"'.encode(), f'"id": "{ident}"'.encode())
            heard = wire.read_from_hub(wire.topic(HUB, "event"), own)
            assert isinstance(heard.message, AlarmEvent), own
            home = f"js-{number}"  # of one home only some are shown one by one
            received = Received(home, heard.message, own.decode(), False, NOW, lost=heard.lost)  # noqa: FBT003
            told = store.submit(partial(inbox._stored, received)).result(10)
            assert told.acks[0].event == ident, own
            assert told.acks[0].stage is Stage.RECEIVED
            case = store.read(incidents.case, told.acks[0].alarm)
            assert case, own
            assert case.incident.is_open
            view.call(case.incident, viewer())


@pytest.mark.parametrize("message", OTHERS, ids=lambda one: one.type)
def test_whatever_single_field_is_odd_what_is_no_call_rings_nobody(
    desk: Desk, message: CheckInEvent | CareEvent | AnnouncementEvent | ReportEvent
) -> None:
    owed = not isinstance(message, ReportEvent)
    for number, payload in enumerate(flawed(message)):
        ident = f"e-{number}"
        own = payload.replace(f'"id": "{message.id}"'.encode(), f'"id": "{ident}"'.encode())
        desk.receive(own)
        foreign = any(f'"source": "{name}"'.encode() in own for name in (FUTURE, "x"))
        answered = Stage.RECEIVED in desk.acked(ident)
        assert answered is (owed and not foreign), own  # no hub speaks for another
    assert desk.store.read(incidents.incidents, Which.ALL) == []
    assert inbox.UNSTORABLE not in desk.tally.refused()


def test_programs_and_people_are_told_what_is_odd(tmp_path: Path) -> None:
    odd = wire.encode(event()).replace(b'"help_button"', b'"from-the-future"')
    odd = odd.replace('"거실"'.encode(), b"7", 1)

    async def story(counter: Counter) -> None:
        Desk(counter.store).receive(odd)
        shown = (await counter.get("/api/alarms/b1-1")).json()
        assert (shown["kind"], shown["raw"]) == ("other", {"kind": FUTURE})
        assert (shown["unread"], shown["stage"]) == ("data.place", "received")
        assert shown["timeline"][-1]["deed"] == "unread"
        schema = (await counter.get("/openapi.json")).json()["components"]["schemas"]
        assert "other" in schema["Kind"]["enum"]
        browser = await sign_in(counter, NAMES[0])
        page = (await browser.get("/incidents/b1-1")).text
        assert "온 그대로 보관" in page
        assert "data.place" in page
        assert "다 읽지 못한 호출" in (await browser.get("/")).text

    at_counter(tmp_path, story)


# --- the database -------------------------------------------------------------------------------

ODD_ROWS = [
    f"UPDATE incidents SET {column} = 'from-the-future'"  # noqa: S608 - columns of our own
    for column in ("kind", "stage", "last_deed", "outcome")
] + [
    "UPDATE incidents SET evidence = '{'",
    'UPDATE incidents SET evidence = \'{"since_utc": "noon"}\'',
    "UPDATE incidents SET raised_utc = 'noon'",
    "UPDATE incidents SET presses = 'many'",
    "DROP TRIGGER audit_no_update; UPDATE audit SET deed = 'from-the-future'",
    "DROP TRIGGER audit_no_update; UPDATE audit SET outcome = 'from-the-future'",
    "UPDATE hubs SET state = 'from-the-future'",
    "UPDATE hubs SET interval_s = 'often'",
    'UPDATE hubs SET voice = \'{"can": "sing", "engines": 5}\'',
    "UPDATE faults SET kind = 'from-the-future'",
    "UPDATE needs SET kind = 'from-the-future'",
    "UPDATE vitals SET level = 'from-the-future', why = 'from-the-future'",
    "UPDATE vitals SET value = 'much', usual = 'none'",
    "UPDATE vital_limits SET limits = '{'",
    'UPDATE vital_limits SET limits = \'{"low_bpm": "low", "stress": 5}\'',
    "UPDATE incidents SET vital = '{'",
    'UPDATE incidents SET kind = \'oxygen\', vital = \'{"kind": "skin", "value": "much"}\'',
    "UPDATE needs SET result = 'from-the-future'",
    "UPDATE checkins SET topic = 'from-the-future', result = 'from-the-future'",
    "UPDATE checkins SET \"by\" = 'from-the-future'",
    "UPDATE activity SET presence = 'from-the-future'",
    'UPDATE records SET record = \'{"name": "한가온", "newer": 1, "birth_year": "?"}\'',
    "UPDATE operators SET role = 'from-the-future'",
    "UPDATE tokens SET role = 'from-the-future'",
]
PAGES = [
    "/api/alarms?state=all", "/api/alarms/b1-1", "/api/hubs", "/api/needs", "/api/outcomes",
    f"/api/homes/{HUB}", "/metrics", "/api/false-alarms.csv",
]  # fmt: skip
CONSOLE = [
    "/", "/incidents/b1-1", "/hubs", "/calls-today", "/checkins", f"/homes/{HUB}",
    f"/homes/{HUB}/119", "/false-alarms", "/announcements", f"/homes/{HUB}/vitals?days=1",
    f"/homes/{HUB}/limits",
]  # fmt: skip


def lived_in(store: Store) -> None:
    """Store something in every table."""
    hear(store, event(), utc=NOW)
    hear(store, state(Availability.READY, faults=("a:stuck",)), utc=NOW)
    fault = examples.from_hub()["fault"][0]
    hear(store, fault, utc=NOW)
    hear(store, check_in(CheckInResult.MISSED, ident="c1"), utc=NOW)
    hear(store, activity(NOW, pir1=3), utc=NOW)
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0)
    store.submit(lambda conn: records.put(conn, HUB, WILLING, change)).result(10)
    hear(store, quarter(NOW), utc=NOW)
    limited = VitalLimits(low_bpm=45.0)
    store.submit(lambda conn: limits.put(conn, HUB, limited, "김하늘", NOW)).result(10)


@pytest.mark.parametrize("spoil", ODD_ROWS)
def test_one_odd_row_takes_no_page_with_it(tmp_path: Path, spoil: str) -> None:
    async def story(counter: Counter) -> None:
        lived_in(counter.store)
        counter.store.submit(lambda conn: [
            conn.execute(text(one)) for one in spoil.split("; ")
        ]).result(10)  # fmt: skip
        for page in PAGES:
            answer = await counter.get(page)
            assert answer.status_code == 200, (page, answer.text)
        alarms = (await counter.get("/api/alarms?state=all")).json()["alarms"]
        assert [one["id"] for one in alarms] == ["b1-1"]
        browser = await sign_in(counter, NAMES[0])
        for page in CONSOLE:
            shown = await browser.get(page)
            assert shown.status_code == 200, (page, shown.text[:500])

    at_counter(tmp_path, story)


TABLES = sorted(tables.metadata.tables)
KEYS = {"hub", "id", "alarm", "hash", "name", "source", "event", "need", "incident", "key", "area"}


def filled(store: Store) -> None:
    """Store a row in every table that a page reads."""
    lived_in(store)
    draft = Draft("물을 자주 드세요.", until_utc=NOW + 3600, key="k")
    gone = Part(NeedKind.HUB_LOST, HUB, since_utc=NOW)

    def job(conn: Connection) -> None:
        announcements.put(conn, draft, NAMES[0], NOW)
        parts.open_parts(conn, [gone], NOW)
        tried = Try(NAMES[0], NOW, Called.NOT_REACHED)
        for task in need_rows.still_open(conn):
            need_rows.call(conn, {task.need.id: None}, tried)

    store.submit(job).result(10)


def odd_texts(name: str) -> list[str]:
    """Name the columns of a table that hold a word of ours, and neither a key nor a name."""
    return [
        column.name
        for column in tables.metadata.tables[name].columns
        if isinstance(column.type, String) and column.name not in KEYS and not column.primary_key
    ]


def spoiled(table: Table, column: str, conn: Connection) -> None:
    conn.execute(table.update().values({column: FUTURE}))


@pytest.mark.parametrize("name", TABLES)
def test_no_word_of_a_newer_program_takes_a_page_with_it(tmp_path: Path, name: str) -> None:
    async def story(counter: Counter) -> None:
        filled(counter.store)
        browser = await sign_in(counter, NAMES[1])
        needs = [task.need.id for task in counter.store.read(need_rows.still_open)]
        sent = [one.announcement.id for one in counter.store.read(announcements.newest, 9)]
        pages = [*CONSOLE, *PAGES, "/audit", "/api/audit", "/tasks", "/api/checkins"]
        pages += [f"/tasks/{one}" for one in needs] + [f"/announcements/{one}" for one in sent]
        spoil = tables.metadata.tables[name]
        for column in odd_texts(name):
            counter.store.submit(partial(spoiled, spoil, column)).result(10)
            for page in pages:
                shown = await browser.get(page)
                assert shown.status_code in {200, 403, 404}, (column, page, shown.text[:300])

    if name in {"audit", "meta", "sessions"}:
        return  # append-only, its own story; the schema; who is signed in
    at_counter(tmp_path, story)
