"""A person at the centre opens a window for pairing, compares digits, and sees what came of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from center.domain.incident import Deed, Entry
from center.domain.record import Consent, ConsentItem, Record
from center.store.rows import audit, hubs, pairings, records
from hub.contract.messages import Availability, CommandKind, PairingReport, PhoneSeen, Reply
from tests.center.e2e.office import Office

HUB = "js-0001"
PAGE = f"/homes/{HUB}/pairing"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        yield office


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    office.greet(HUB)
    with office.visit("김하늘") as operator:
        yield operator


def says(operator: httpx.Client, code: int = 303, **typed: str) -> str:
    """Send a form; return the page that follows."""
    csrf = re.search(r'name="csrf" value="([^"]*)"', operator.get(PAGE).text)
    assert csrf
    answer = operator.post(PAGE, data={"csrf": csrf[1], **typed})
    assert answer.status_code == code
    return operator.get(PAGE).text if code == 303 else answer.text


def lines(office: Office) -> list[tuple[Deed, str, str]]:
    entries = [line.entry for line in reversed(office.store.read(audit.search))]
    return [(e.deed, e.by, e.text) for e in entries if e.deed in pairings.DEED.values()]


def asked(office: Office, wanted: str, digits: str = "", name: str = "<b>남의 전화") -> None:
    report = PairingReport(office.now() + 100, wanted, digits, name)
    office.greet(HUB, pairing=report)


def test_the_window_is_opened_once_and_the_hubs_answer_is_shown(
    office: Office, operator: httpx.Client
) -> None:
    assert f'href="{PAGE}"' in operator.get(f"/homes/{HUB}").text
    assert "무선 호출 단추의 신호를 놓칠 수" in operator.get(PAGE).text, "who opens it is told"
    page = says(operator, do="open")
    ((hub, command),) = office.orders
    assert (hub, command.kind, command.text) == (HUB, CommandKind.OPEN_PAIRING, "")
    assert command.counter > 0
    assert 0 < command.expires_utc - office.now() <= 60
    assert "허브의 답을 기다리는 중" in page
    assert lines(office) == [(Deed.PAIRING_OPENED, "김하늘", command.id)]
    office.hear(HUB, Reply(command.id, done=True))
    asked(office, "")
    page = operator.get(PAGE).text
    assert "허브가 따름" in page
    assert "아직 연결하려는 기기가 없습니다" in page
    assert 'id="do-open"' not in page


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("not_now", "진행 중"),
        ("unknown", "오래된 프로그램"),
        ("expired", "너무 늦게"),
        ("replayed", "이미 본"),
        ("of_a_newer_hub", "of_a_newer_hub"),
    ],
)
def test_a_refusal_of_the_hub_is_said_in_words(
    office: Office, operator: httpx.Client, reason: str, words: str
) -> None:
    says(operator, do="open")
    office.hear(HUB, Reply(office.orders[0][1].id, done=False, reason=reason))
    assert words in operator.get(PAGE).text


def test_a_hub_that_does_not_reply_is_not_waited_for_for_ever(
    office: Office, operator: httpx.Client
) -> None:
    says(operator, do="open")
    office.ahead_s += 31
    assert "허브가 답하지 않음" in operator.get(PAGE).text
    office.ahead_s += 600
    assert "허브가 답하지 않음" not in operator.get(PAGE).text


def test_digits_are_compared_and_a_name_is_only_shown(
    office: Office, operator: httpx.Client
) -> None:
    asked(office, "compare", "470192")
    page = operator.get(PAGE).text
    assert "4 7 0 1 9 2" in page
    assert "&lt;b&gt;남의 전화" in page
    says(operator, do="yes")
    says(operator, do="no")
    said = [(command.kind, command.text) for _, command in office.orders]
    assert said == [(CommandKind.ANSWER_PAIRING, "yes"), (CommandKind.ANSWER_PAIRING, "no")]
    assert [text.split()[1] for _, _, text in lines(office)] == ["yes", "no"]


def test_an_answer_is_to_the_request_that_the_page_shows(
    office: Office, operator: httpx.Client
) -> None:
    report = PairingReport(office.now() + 100, "compare", "470192", "전화", ask=41)
    office.greet(HUB, pairing=report)
    page = operator.get(PAGE).text
    (ask, _) = re.findall(r'name="ask" value="(\d+)"', page)
    says(operator, do="yes", ask=ask)
    says(operator, do="no", ask="x")
    assert [command.ask for _, command in office.orders] == [41, 0]


def test_a_key_is_sent_and_never_written_into_the_audit(
    office: Office, operator: httpx.Client
) -> None:
    asked(office, "type")
    assert "아래 칸에 적어 주세요" in operator.get(PAGE).text
    says(operator, do="key", key=" 004 711 ")
    assert office.orders[-1][1].text == "004711"
    ((deed, _, text),) = lines(office)
    assert (deed, text.split()[1]) == (Deed.PAIRING_ANSWERED, "key")
    assert "숫자 1~6자리" in says(operator, 422, do="key", key="12345678")
    assert "숫자 1~6자리" in says(operator, 422, do="format")
    assert len(office.orders) == 1


def test_digits_to_be_typed_at_the_device_can_only_be_given_up(
    office: Office, operator: httpx.Client
) -> None:
    asked(office, "show", "000012", name="")
    page = operator.get(PAGE).text
    assert "0 0 0 0 1 2" in page
    assert "(이름 없음)" in page
    assert 'id="do-yes"' not in page
    asked(office, "sing")  # of a newer hub
    assert "아직 연결하려는 기기가 없습니다" in operator.get(PAGE).text


def test_a_window_whose_time_is_over_or_whose_hub_is_lost_is_closed(
    office: Office, operator: httpx.Client
) -> None:
    office.greet(HUB, pairing=PairingReport(office.now() - 1))
    assert 'id="do-open"' in operator.get(PAGE).text
    office.greet(HUB, pairing=PairingReport(1.0), synced=False)  # its clock is wrong
    assert 'id="do-open"' not in operator.get(PAGE).text
    office.greet(HUB, Availability.LOST)
    assert 'id="do-open"' in operator.get(PAGE).text


def test_without_a_link_or_a_hub_nothing_is_ordered(office: Office, operator: httpx.Client) -> None:
    office.go_deaf()
    assert "브로커에 연결되어 있지 않습니다" in says(operator, 409, do="open")
    assert office.orders == []
    assert lines(office) == []
    assert operator.get("/homes/js-9999/pairing").status_code == 404
    assert operator.post(PAGE, data={"do": "open"}).status_code == 403


@pytest.mark.parametrize(("consents", "shown"), [((), False), ((True,), True), ((False,), False)])
def test_a_phone_that_was_seen_is_shown_by_the_records_consent_only(
    office: Office,
    operator: httpx.Client,
    consents: tuple[bool, ...],
    shown: bool,  # noqa: FBT001 - a table
) -> None:
    record = Record(consents=tuple(Consent(ConsentItem.PHONE, given=one) for one in consents))
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by="김하늘")
    office.store.submit(lambda conn: records.put(conn, HUB, record, change)).result()
    office.greet(HUB, phones=(PhoneSeen("phone-1", office.now() - 60),))
    assert ("phone-1" in operator.get(f"/homes/{HUB}").text) is shown
    (hub,) = office.store.read(hubs.known, HUB)
    assert (hub.phones is not None) is shown  # nor is it stored
