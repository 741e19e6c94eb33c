"""Announcements and spoken calls in a real Chromium: by keyboard, live, in both languages."""

import re

import pytest
from playwright.sync_api import Page, expect

from center.domain.announcement import GAP
from center.domain.incident import Deed, Entry
from center.store.rows import announcements, records
from hub.contract.messages import AnnouncementOutcome, Availability, FaultKind, Reply
from hub.contract.scaip import Kind
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office
from tests.center.lives import RECORD, word

pytestmark = pytest.mark.browser
HUBS = ("js-0001", "js-0002", "js-0003")


@pytest.fixture
def county(office: Office) -> Office:
    """Three homes; the third hub is away."""
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by="이정민")
    office.store.submit(lambda conn: records.put(conn, HUBS[0], RECORD, change)).result()
    for hub in HUBS:
        office.greet(hub)
    office.greet(HUBS[2], Availability.LOST)
    return office


def test_a_heat_wave_is_announced_by_keyboard_and_its_results_come_live(
    county: Office, seat: Seat
) -> None:
    page = seat.page("김하늘", "/announcements")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/announcements/new$"))
    page.get_by_role("link", name="폭염").focus()
    page.keyboard.press("Enter")
    text = page.get_by_label("할 말")
    expect(text).to_have_value(re.compile(GAP))
    page.keyboard.press("n")
    expect(text).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("오늘 다섯 시까지 폭염 특보입니다. 물을 자주 드세요.")
    page.get_by_label("급함: 조용한 시간에도").press("Space")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="보내기 전에 확인")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3곳에 보냅니다")).to_be_visible()
    expect(page.get_by_text("연결되지 않은 허브가 1대")).to_be_visible()
    page.get_by_role("button", name="3곳에 보내기").press("Enter")
    expect(page.get_by_text("허브를 기다림 3", exact=True)).to_be_visible()
    ident = page.url.rpartition("/")[2]
    row = page.get_by_role("row", name=RECORD.name)
    county.hear(HUBS[0], Reply(ident, done=True))
    expect(row).to_contain_text("허브가 받음")
    county.hear(HUBS[0], word(ident, at=county.now()))
    expect(row).to_contain_text("말함")
    county.hear(HUBS[1], word(ident, AnnouncementOutcome.UNSPOKEN, HUBS[1], county.now()))
    expect(page.get_by_text("말하지 못함 1", exact=True)).to_be_visible()
    page.get_by_role("button", name="아직 받지 않은 1곳에서 거둬들이기").press("Enter")
    expect(page.get_by_text("거둬들임 1", exact=True)).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("Not spoken 1", exact=True)).to_be_visible()
    assert {hub for hub, order in county.orders if order.urgent} == set(HUBS)


def test_it_works_without_scripts_and_a_second_press_sends_nothing(
    county: Office, seat: Seat
) -> None:
    page = seat.page("김하늘", f"/announcements/new?hub={HUBS[0]}", scripts=False)
    page.get_by_label("할 말").fill("내일 두 시에 찾아뵙겠습니다.")
    page.get_by_role("button", name="보내기 전에 확인").click()
    page.get_by_role("button", name="1곳에 보내기").dblclick()
    expect(page).to_have_url(re.compile("/announcements/a-"))
    expect(page.get_by_text("내일 두 시에 찾아뵙겠습니다.")).to_be_visible()
    assert len(county.store.read(announcements.newest, 9)) == 1
    assert len(county.orders) == 1


def test_a_spoken_call_appears_apart_from_a_press_and_ends_as_misheard(
    county: Office, seat: Seat
) -> None:
    page = seat.page("김하늘")
    call = county.press(HUBS[0], place="", kind=Kind.SPOKEN, device="voice")
    card = page.locator("article.call")
    expect(card).to_contain_text("말로 도움 요청")
    expect(card).to_contain_text("버튼이 아닌 말로")
    expect(page.locator("#say-loud")).to_contain_text("새 호출. 말로 도움 요청")
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile(f"/incidents/{call}$"))
    expect(page.get_by_role("region", name="왜 호출되었나")).to_contain_text("음성 장치가")
    page.get_by_label("음성 장치가 잘못 들음").check()
    page.get_by_role("button", name="종료", exact=True).click()
    expect(page.get_by_role("region", name="최근 종료")).to_contain_text("텔레비전 소리")


def test_a_home_shows_its_voice_live(county: Office, seat: Seat) -> None:
    page = seat.page("김하늘", f"/homes/{HUBS[0]}")
    voice = page.get_by_role("region", name="음성 장치")
    expect(voice).to_contain_text("아직 아무 소식도")
    county.fault(HUBS[0], FaultKind.NO_MICROPHONE, "voice")
    expect(voice).to_contain_text("마이크 이상")
    page.get_by_role("link", name="이 가정에 안내하기").click()
    expect(page.get_by_label("이 가정만")).to_be_checked()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [683, 820, 1280, 1920])
def test_no_page_of_announcements_is_wider_than_its_window(
    county: Office, seat: Seat, width: int, lang: str
) -> None:
    page = seat.page("김하늘", f"/announcements/new?lang={lang}")
    page.set_viewport_size({"width": width, "height": 900})
    fits(page)
    page.locator("#text").fill("가나다라" * 70)
    page.locator("form[action$=check] button.primary").click()
    expect(page.locator("#send")).to_be_visible()
    fits(page)
    page.locator("#send").click()
    expect(page).to_have_url(re.compile("/announcements/a-"))
    fits(page)
    for path in ("/announcements", f"/homes/{HUBS[0]}"):
        page.goto(county.url + path)
        fits(page)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button, nav a, input:not([type=radio])")]
            .filter((one) => one.checkVisibility() && !["hidden", "checkbox"].includes(one.type))
            .filter((one) => one.getBoundingClientRect().height < 44)
            .map((one) => one.outerHTML)"""
    )
    assert small == []
