"""Who may see and do what on the pages of installation, and what a mistake is answered with."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from center.service import enrolment
from center.store.rows import installations, leases, records
from hub.contract.messages import Availability, CommandKind
from tests.center.e2e.office import Office
from tests.center.e2e.setting_up import (
    BOOT,
    HUB,
    INSTALLER,
    OPERATOR,
    SECOND,
    SUPERVISOR,
    SettingUp,
    staffed,
)
from tests.center.est import request

PAGE = f"/install/{HUB}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with staffed(tmp_path) as office:
        yield office


@pytest.fixture
def home(office: Office) -> SettingUp:
    """A home whose hub an installer has claimed, and that has fetched its certificate."""
    home = SettingUp(office)
    home.keep_record()
    body = request(ec.generate_private_key(ec.SECP256R1()))
    digits = office.act(enrolment.ask(office.desk, body, "127.0.0.1")).digits
    who, wish = enrolment.Who(INSTALLER, "127.0.0.1"), enrolment.Wish(digits, HUB)
    office.act(enrolment.claim(office.desk, who, wish))
    office.act(enrolment.ask(office.desk, body, "127.0.0.1"))
    home.greet()
    return home


def at(office: Office, name: str) -> httpx.Client:
    return office.visit(name)


@pytest.fixture
def phone(office: Office) -> Iterator[httpx.Client]:
    with at(office, INSTALLER) as phone:
        yield phone


def says(phone: httpx.Client, do: str, code: int = 303, **more: str) -> str:
    """Send a form of the page; return the page that follows."""
    csrf = re.search(r'name="csrf" value="([^"]*)"', phone.get("/install/claim").text)
    assert csrf
    answer = phone.post(PAGE, data={"csrf": csrf[1], "do": do, **more})
    assert answer.status_code == code, answer.text
    return phone.get(answer.headers["location"]).text if code == 303 else answer.text


def test_a_claimed_home_is_in_the_list_and_begins_at_a_button(
    home: SettingUp, phone: httpx.Client
) -> None:
    page = phone.get("/install").text
    assert f'href="{PAGE}"' in page
    assert "아직 시작하지 않음" in page
    assert home.office.store.read(installations.find, HUB) is None, "looking begins nothing"
    assert 'id="begin"' in phone.get(PAGE).text
    assert 'id="progress"' in says(phone, "begin")
    assert "단계 끝남" in phone.get("/install").text


def test_while_a_page_is_open_the_hub_is_asked_to_show_itself(
    home: SettingUp, phone: httpx.Client
) -> None:
    says(phone, "begin")
    orders = home.office.orders

    def followed() -> int:
        return sum(order.kind is CommandKind.INSTALL_FOLLOW for _, order in orders)

    first = followed()
    assert first == 1
    phone.get(PAGE)
    assert followed() == first, "it was told just now"
    home.report()
    home.office.ahead_s += 61
    phone.get(PAGE)
    assert followed() == first + 1


@pytest.mark.parametrize("path", ["", "/report", "/sheet"])
def test_an_installer_sees_no_home_of_another(home: SettingUp, path: str) -> None:
    with at(home.office, SECOND) as other:
        assert HUB not in other.get("/install").text
        answer = other.get(f"{PAGE}{path}")
        assert answer.status_code == 403
        assert f"{INSTALLER} 님이 등록한 집입니다" in answer.text
        assert "한가온" not in answer.text


@pytest.mark.parametrize("do", ["begin", "tell", "again", "finish", "test_begin", "open", "yes"])
def test_an_installer_does_nothing_to_a_home_of_another(
    home: SettingUp, phone: httpx.Client, do: str
) -> None:
    says(phone, "begin")
    before = len(home.office.orders)
    with at(home.office, SECOND) as other:
        says(other, do, 403, step="consents", name="health", answer="given")
    assert len(home.office.orders) == before
    assert home.office.store.read(leases.standing, home.office.now()) == []


def test_who_is_no_installer_sees_every_home_in_the_console(
    home: SettingUp, phone: httpx.Client
) -> None:
    says(phone, "begin")
    for name in (OPERATOR, SUPERVISOR):
        with at(home.office, name) as seat:
            assert f'href="{PAGE}"' in seat.get("/install").text
            page = seat.get(PAGE)
            assert page.status_code == 200
            assert 'data-topics="alarm need link beat resync install' in page.text
            assert f"{INSTALLER} 님도 지금" in page.text


def test_a_home_that_nobody_knows_is_not_found(office: Office, phone: httpx.Client) -> None:
    with at(office, SUPERVISOR) as supervisor:
        assert supervisor.get("/install/js-9999").status_code == 404
    assert phone.get("/install/js-9999").status_code == 403


def test_what_the_hub_must_show_cannot_be_ticked(home: SettingUp, phone: httpx.Client) -> None:
    says(phone, "begin")
    page = says(phone, "tell", 409, step="sensors", name="living", answer="given")
    assert "손으로 표시할 수 없습니다" in page
    page = says(phone, "tell", 400, step="consents", name="health", answer="maybe")
    assert "대답을 하나 골라 주세요" in page
    page = says(phone, "finish", 409)
    assert "남은 단계를 먼저 끝내 주세요" in page
    assert home.office.store.read(installations.reports, HUB) == []


def test_a_form_without_its_key_does_nothing(home: SettingUp, phone: httpx.Client) -> None:
    assert phone.post(PAGE, data={"do": "begin"}).status_code == 403
    assert home.office.store.read(installations.find, HUB) is None


def test_a_consent_is_kept_in_the_record_and_its_step_stays_open(
    home: SettingUp, phone: httpx.Client
) -> None:
    says(phone, "begin")
    page = says(phone, "tell", step="consents", name="voice", answer="given")
    assert re.search(r'<details id="fold-consents-later" open>', page)
    kept = home.office.store.read(records.find, HUB)
    assert kept
    said = [one for one in kept.record.consents if one.item == "voice"]
    assert [(one.given, one.version) for one in said] == [(True, "1")]


def test_without_a_link_the_page_says_whom_to_call_and_keeps_what_is_done(
    home: SettingUp, phone: httpx.Client
) -> None:
    says(phone, "begin")
    home.show(living=0.0)
    home.office.go_deaf()
    home.office.ahead_s += 60
    page = phone.get(PAGE).text
    assert "센터에 전화해 알려 주세요" in page
    assert "5개 중 1개 확인됨" in page
    assert "브로커에 연결되어 있지 않아" in says(phone, "test_begin", 409, step="sensors")


def test_a_second_test_mode_says_whose_it_is(home: SettingUp, phone: httpx.Client) -> None:
    assert home.hub == HUB
    says(phone, "begin")
    says(phone, "test_begin")
    assert f"{INSTALLER} 님이" in says(phone, "test_begin", 409)
    assert "허브에 알리는 중" in phone.get(PAGE).text


def test_while_the_hubs_clock_is_not_set_the_page_says_that_a_press_is_a_real_call(
    home: SettingUp, phone: httpx.Client
) -> None:
    """The centre takes no press of such a hub for a test (`center.domain.lease`)."""
    real, test = "지금 누르면 진짜 호출입니다", "한 번 누르면 시험"
    says(phone, "begin")
    says(phone, "test_begin")
    home.obey()
    page = phone.get(PAGE).text
    assert (test in page, real in page) == (True, False)
    home.office.greet(HUB, boot=BOOT, synced=False)
    page = phone.get(PAGE).text
    assert (test in page, real in page) == (False, True)
    home.office.greet(HUB, boot=BOOT, synced=False, state=Availability.DISCONNECTED)
    assert real in phone.get(PAGE).text
    home.greet()
    assert test in phone.get(PAGE).text


def test_of_a_clock_that_is_wrong_the_page_says_the_same(
    home: SettingUp, phone: httpx.Client
) -> None:
    says(phone, "begin")
    says(phone, "test_begin")
    home.obey()
    home.report(ahead_s=30.0)
    assert "지금 누르면 진짜 호출입니다" in phone.get(PAGE).text
    home.report()
    assert "한 번 누르면 시험" in phone.get(PAGE).text


def test_without_a_report_there_is_nothing_to_print(home: SettingUp, phone: httpx.Client) -> None:
    says(phone, "begin")
    for part in ("report", "sheet"):
        answer = phone.get(f"{PAGE}/{part}")
        assert answer.status_code == 404
        assert "설치 보고서가 아직 없습니다" in answer.text
    assert home.hub
