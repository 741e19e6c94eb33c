"""A resident's words, with consent: shown as a machine's transcript, deleted in time, in no log."""

import logging
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import inspect, select, text

from center.domain import times
from center.domain.incident import Deed, Entry
from center.domain.record import Consent, ConsentItem, Record
from center.store import tables
from center.store.rows import records
from center.store.rows import words as word_rows
from center.store.store import Store
from hub.contract.messages import AlarmEvent, CheckInEvent, CheckInResult
from hub.contract.scaip import Kind, What
from hub.contract.voice import WORDS_MAX
from tests.center.e2e.office import Office
from tests.center.lives import check_in
from tests.center.making import HUB, NOW, event, forget, hear, stored

CRY, MORE, WELL = "살려 주세요", "다리가 아파요", "어제 잘 못 잤어요"


def called(words: str = CRY, what: What = What.RAISED) -> AlarmEvent:
    one = event(what)
    return replace(one, data=replace(one.data, kind=Kind.SPOKEN, words=words))


def answered(words: str = WELL, result: CheckInResult = CheckInResult.UNWELL) -> CheckInEvent:
    one = check_in(result)
    return replace(one, data=replace(one.data, words=words))


def everything(store: Store) -> dict[str, str]:
    """Return all that each table holds, as text."""

    def dump(conn: object) -> dict[str, str]:
        names = inspect(conn).get_table_names()
        return {name: str(conn.execute(text(f"SELECT * FROM {name}")).all()) for name in names}  # type: ignore[attr-defined] # noqa: S608 - our tables

    return store.read(dump)


def test_words_are_kept_in_one_table_only(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        hear(store, called())
        hear(store, called(MORE, What.REPEATED))
        hear(store, answered())
        found = everything(store)
        for words in (CRY, MORE, WELL):
            assert [name for name, held in found.items() if words in held] == ["words"]
        raws = store.read(lambda conn: list(conn.scalars(select(tables.events.c.raw))))
        assert len(raws) == 3
        assert all('"words":""' in raw for raw in raws)
        assert store.read(word_rows.of_home, HUB, "b1-1") == (CRY, MORE)


def test_an_event_without_words_is_kept_as_it_came(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        hear(store, called(""))
        assert store.read(word_rows.of_home, HUB, "b1-1") == ()
        assert not everything(store)["words"].strip("[]")


def test_what_comes_twice_is_kept_once_and_no_more_than_is_said_in_a_breath(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        hear(store, called("가" * 5000))
        assert hear(store, called("가" * 5000)).duplicate
        assert store.read(word_rows.of_home, HUB, "b1-1") == ("가" * WORDS_MAX,)


@pytest.mark.parametrize(("consents", "kept"), [((), True), (((True),), True), ((False,), False)])
def test_where_the_record_says_no_to_voice_nothing_is_kept(
    tmp_path: Path,
    consents: tuple[bool, ...],
    kept: bool,  # noqa: FBT001 - a table
) -> None:
    record = Record(consents=tuple(Consent(ConsentItem.VOICE, given=one) for one in consents))
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0, by="이정민")
    with stored(tmp_path) as store:
        store.submit(lambda conn: records.put(conn, HUB, record, change)).result(10)
        hear(store, called())
        hear(store, answered())
        assert any(CRY in held for held in everything(store).values()) is kept
        assert any(WELL in held for held in everything(store).values()) is kept


def test_words_are_forgotten_with_the_days(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        hear(store, called(), utc=NOW)
        hear(store, answered(), utc=NOW + 60)
        forget(store, NOW + 30)
        assert list(store.read(word_rows.newest, 0.0).values()) == [WELL]
        forget(store, NOW + 90)
        assert not any(WELL in held or CRY in held for held in everything(store).values())


def test_words_are_in_no_log_however_much_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy")  # it has a level of its own
    with stored(tmp_path) as store:
        hear(store, called())
        hear(store, answered())
    assert "INSERT INTO words" in caplog.text  # all statements are logged
    assert CRY not in caplog.text
    assert WELL not in caplog.text


@pytest.mark.parametrize(
    ("lang", "mark"), [("ko", "기계가 받아 적음"), ("en", "Written down by a machine")]
)
def test_an_operator_reads_them_as_a_machines(
    office: Office, operator: httpx.Client, lang: str, mark: str
) -> None:
    operator.get(f"/?lang={lang}")
    said = office.event(HUB, "s-1", "", kind=Kind.SPOKEN, device="voice")
    office.hear(HUB, replace(said, data=replace(said.data, words=CRY)))
    now = office.now()
    day = times.day_of(now)
    plain = check_in(CheckInResult.UNWELL, f"{day}-0900", at=now)
    due = replace(plain.data, due_utc=now, words=WELL)
    office.hear(HUB, replace(plain, data=due))
    for path, words in (
        ("/incidents/s-1", CRY),
        (f"/homes/{HUB}", WELL),
        (f"/checkins?day={day}", WELL),
    ):
        page = operator.get(path).text
        assert page.count(f'<q lang="ko">{words}</q>') == 1
        assert mark in page
    for path in (
        "/",
        "/audit",
        "/calls-today",
        f"/homes/{HUB}/119",
        "/api/alarms/s-1",
        "/api/checkins",
    ):
        page = operator.get(path).text
        assert CRY not in page
        assert WELL not in page


def test_without_words_nothing_speaks_of_a_machine(office: Office, operator: httpx.Client) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="")
    assert "기계가 받아 적음" not in operator.get(f"/incidents/{call}").text
    office.hear(HUB, check_in(at=office.now()))
    assert "기계가 받아 적음" not in operator.get(f"/homes/{HUB}").text
