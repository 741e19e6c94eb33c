"""A home is set up from a telephone, from the digits to the printed sheet, in a real browser."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from center.console.install.sheet import HAZARDS
from center.domain import installation
from center.domain.installation import Evidence, Item, Part, Report, State, Step
from center.store.rows import installations
from hub.contract.messages import CommandKind, PairingReport
from tests.broker import wait_until
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office
from tests.center.e2e.setting_up import (
    HUB,
    INSTALLER,
    OPERATOR,
    SECOND,
    SUPERVISOR,
    SettingUp,
    answer_all,
    claim,
    staffed,
)

pytestmark = pytest.mark.browser
LARGEST_PT = 20.0
CSS_PX_PER_PT = 96 / 72
WIDTHS_PX = (360, 390, 412)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with staffed(tmp_path) as office:
        yield office


@pytest.fixture
def home(office: Office) -> SettingUp:
    """A home of the record; its hub waits to be registered."""
    home = SettingUp(office)
    home.keep_record()
    return home


def phone(seat: Seat, name: str = INSTALLER, path: str = "/install", width: int = 360) -> Page:
    page = seat.page(name, path)
    page.set_viewport_size({"width": width, "height": 780})
    return page


def begun(home: SettingUp, page: Page) -> None:
    claim(home, page)
    page.get_by_role("button", name="설치 시작").click()
    expect(page.locator("#progress")).to_be_visible()


def fits(page: Page) -> bool:
    """Whether nothing is cut off at the side on any telephone."""
    wide = []
    for width in WIDTHS_PX:
        page.set_viewport_size({"width": width, "height": 780})
        wide.append(page.evaluate("document.documentElement.scrollWidth") <= width)
    page.set_viewport_size({"width": 360, "height": 780})
    return all(wide)


def step(page: Page, name: str) -> Callable[[str], None]:
    """Return what waits until the line of a step has some words."""
    return lambda words: expect(page.locator(f"#step-{name} summary")).to_contain_text(words)


def test_a_home_is_set_up_from_the_digits_to_the_printed_sheet(seat: Seat, home: SettingUp) -> None:
    page = phone(seat)
    expect(page.locator("#none")).to_be_visible()
    begun(home, page)
    step(page, "home")("확인됨")
    expect(page.locator("#step-identity")).to_have_attribute("aria-current", "step")
    expect(page.locator("#install-hearing")).to_contain_text("허브의 소식을 기다리고 있습니다")
    home.report()
    expect(page.locator("#install-hearing")).to_contain_text("허브의 소식이 오고 있습니다")
    step(page, "identity")("인증서")
    step(page, "clock")("센터와 0.2초 차이")
    expect(page.locator("#step-network")).to_contain_text("신호를 재고 있습니다")
    home.measure()
    step(page, "network")("와이파이 우리집 · -58 dBm (좋음)")
    expect(page.locator("#step-sensors")).to_have_attribute("aria-current", "step")
    assert fits(page)

    use_what_is_there(page, home)
    call_the_centre(page, home, seat.page(OPERATOR))
    expect(page.get_by_role("button", name="설치 마치기")).to_be_disabled()
    ask_the_resident(page)
    assert fits(page)
    page.get_by_role("button", name="설치 마치기").click()
    expect(page.locator("#finished")).to_contain_text(INSTALLER)
    page.get_by_role("link", name="설치 보고서").click()
    expect(page.get_by_role("heading", name="설치 보고서")).to_be_visible()
    expect(page.locator(".install-report li")).to_have_count(12)
    assert fits(page)
    page.get_by_role("link", name="안내장 인쇄하기").click()
    assert fits(page)
    is_one_large_page(page)


def use_what_is_there(page: Page, home: SettingUp) -> None:
    """Use each sensor, button and device, in test mode where it calls."""
    expect(page.locator("#part-sensors-front")).to_contain_text("문을 열었다 닫아 보세요")
    home.show(front=0.0)
    expect(page.locator("#part-sensors-front")).to_contain_text("감지됨")
    home.show(living=0.0, cancel=0.0)
    step(page, "sensors")("5개 중 3개 확인됨")

    page.locator("#step-sensors").get_by_role("button", name="시험 모드 켜기").click()
    expect(page.locator(".install-test")).to_contain_text("아직 누르지 마세요")
    home.obey()
    wait_until(home.is_tested, "the home shows test mode")
    expect(page.locator(".install-test time")).to_have_text(re.compile(r"^14:\d\d$"))
    home.show(help=0.0, cord=0.0)
    step(page, "sensors")("5개 중 5개 확인됨")
    home.show(pendant=0.0, band=0.0)
    step(page, "radio")("2개 중 2개 확인됨")
    page.locator("#step-sound").get_by_role("button", name="허브가 말 걸게 하기").click()
    assert home.office.orders[-1][1].kind is CommandKind.SOUND_CHECK
    home.speak()
    step(page, "sound")("3개 중 3개 확인됨")
    home.pull()
    step(page, "mains")("3개 중 3개 확인됨")


def call_the_centre(page: Page, home: SettingUp, board: Page) -> None:
    """Press as a test, let the operator answer, and let the resident press and cancel."""
    expect(page.locator("#step-test_call")).to_have_attribute("aria-current", "step")
    home.press("call-1")
    expect(page.locator(".install-test")).to_contain_text("상담원이 시험이라고 답하기를")
    board.get_by_role("button", name="시험이었음").click()
    step(page, "test_call")(f"{OPERATOR} 님이 시험으로 받음")
    home.rehearse()
    step(page, "resident")("3개 중 3개 확인됨")
    page.get_by_role("button", name="시험 모드 끄기").click()
    expect(page.get_by_role("button", name="시험 모드 끄기")).to_have_count(0)


def ask_the_resident(page: Page) -> None:
    """Ask for each consent, and after 119안심콜."""
    answer_all(page)
    step(page, "consents")("9개 중 9개 확인됨")
    expect(page.locator("#progress")).to_have_text("12단계 중 12단계 끝남")


def is_one_large_page(page: Page) -> None:
    """Whether the sheet is one A4 page, and no letter on it is smaller than 20 pt."""
    page.emulate_media(media="print")
    small = page.evaluate(
        """least => [...document.querySelectorAll('.large-sheet, .large-sheet *')]
            .filter(one => [...one.childNodes].some(c => c.nodeType === 3 && c.nodeValue.trim()))
            .filter(one => parseFloat(getComputedStyle(one).fontSize) < least - 0.1)
            .map(one => one.textContent)""",
        LARGEST_PT * CSS_PX_PER_PT,
    )
    assert small == []
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
    page.emulate_media(media="screen")


def test_two_installers_at_one_home_see_each_other_and_each_others_steps(
    office: Office, seat: Seat, home: SettingUp
) -> None:
    first = phone(seat)
    begun(home, first)
    home.report()
    again = phone(seat, INSTALLER, f"/install/{HUB}")  # another phone, the same person
    step(again, "clock")("확인됨")
    expect(again.locator("#others")).to_have_count(0)
    stranger = phone(seat, SECOND, f"/install/{HUB}")
    expect(stranger.locator("main")).to_contain_text(f"{INSTALLER} 님이 등록한 집입니다")
    lead = phone(seat, SUPERVISOR, f"/install/{HUB}")
    expect(lead.locator("#others")).to_contain_text(f"{INSTALLER} 님도 지금")
    home.show(front=0.0)
    for page in (first, again, lead):
        expect(page.locator("#part-sensors-front")).to_contain_text("감지됨")
    assert office.url


def test_a_page_closed_halfway_goes_on_where_it_was(
    office: Office, seat: Seat, home: SettingUp
) -> None:
    page = phone(seat)
    begun(home, page)
    home.show(living=0.0, front=0.0)
    step(page, "sensors")("5개 중 2개 확인됨")
    page.close()
    office.shut()
    office.open()
    later = phone(seat)
    later.get_by_role("link", name="한가온").click()
    step(later, "sensors")("5개 중 2개 확인됨")
    expect(later.locator("#part-sensors-front")).to_contain_text("감지됨")


def test_what_the_reader_folds_stays_folded_while_the_page_is_fetched_anew(
    office: Office, seat: Seat, home: SettingUp
) -> None:
    page = phone(seat)
    begun(home, page)
    home.report()
    expect(page.locator("#step-network")).to_have_attribute("aria-current", "step")
    page.locator("#step-network summary").click()
    page.locator("#step-mains summary").click()
    home.show(living=0.0)
    step(page, "sensors")("5개 중 1개 확인됨")  # it was fetched anew
    expect(page.locator("#step-mains details")).to_have_attribute("open", "")
    expect(page.locator("#step-network details")).not_to_have_attribute("open", "")
    assert office.url


def test_a_telephone_without_the_centre_says_that_the_page_is_old(
    office: Office, seat: Seat, home: SettingUp
) -> None:
    page = phone(seat)
    begun(home, page)
    office.shut()
    expect(page.locator("#stale")).to_be_visible(timeout=20_000)
    office.open()
    expect(page.locator("#stale")).to_be_hidden(timeout=20_000)


def test_a_band_is_paired_from_the_installers_page(
    office: Office, seat: Seat, home: SettingUp
) -> None:
    page = phone(seat)
    begun(home, page)
    page.locator("#step-radio summary").click()
    page.get_by_role("button", name="기기 연결 시작").click()
    report = PairingReport(office.now() + 100, "compare", "470192", "Galaxy Watch 6", 7)
    home.greet(report)
    expect(page.locator(".install-pair")).to_contain_text("4 7 0 1 9 2")
    page.get_by_role("button", name="숫자가 같음").click()
    wait_until(lambda: any(order.text == "yes" for _, order in office.orders), "it was answered")
    assert fits(page)


def test_in_english_too(office: Office, seat: Seat, home: SettingUp) -> None:
    page = phone(seat)
    begun(home, page)
    home.show(living=0.0)
    step(page, "clock")("확인됨")
    page.get_by_role("link", name="English").click()
    step(page, "sensors")("1 of 5 proven")
    assert fits(page)
    assert not re.search("[가-힣]", page.locator("#step-mains").inner_text())
    assert office.url


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_fullest_sheet_is_still_one_page_of_large_letters(
    office: Office, seat: Seat, home: SettingUp, language: str
) -> None:
    proven = partial(Item, state=State.PROVEN, proven_utc=office.now())
    kinds = (*HAZARDS, "motion", "pull_cord", "cancel_button")
    sensors = [
        proven(Step.SENSORS, kind, evidence=Evidence(what=kind, place="안방 화장실"))
        for kind in kinds
    ]
    pendant = proven(Step.RADIO, "p", evidence=Evidence(what="help_button", wireless=True))
    heard = proven(Step.SOUND, Part.HEARD)
    one = replace(installation.begun(HUB, INSTALLER, 0.0), items=(*sensors, pendant, heard))
    done = Report(HUB, 0.0, INSTALLER, office.now(), INSTALLER, one.standings)
    keep = installations.keep_report
    office.store.submit(lambda conn: keep(conn, done)).result(10)
    page = phone(seat, SUPERVISOR, f"/install/{home.hub}/sheet?lang={language}")
    expect(page.locator(".large-sheet li, .large-sheet p").first).to_be_visible()
    assert "119" in page.locator(".large-sheet").inner_text()
    is_one_large_page(page)
