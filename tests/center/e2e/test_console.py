"""The board and the other pages in a real Chromium, as an operator uses them."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from center.service.auth import Role
from hub.contract.messages import Availability
from hub.contract.scaip import What
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import PASSWORD, Office

pytestmark = pytest.mark.browser
CARD = "article.call"


def see_incident(page: Page, alarm: str) -> None:
    expect(page).to_have_url(re.compile(f"/incidents/{alarm}$"))


def test_signing_in_by_hand_leads_to_the_board(browser: Browser, office: Office) -> None:
    page = browser.new_page()
    page.goto(office.url)
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.get_by_label("아이디").fill("김하늘")
    page.get_by_label("비밀번호").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("맞지 않습니다"))
    expect(page.get_by_label("비밀번호")).to_be_focused()
    page.get_by_label("비밀번호").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("기다리는 호출이 없습니다.").first).to_be_visible()
    page.get_by_role("button", name="로그아웃").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.context.close()


def test_who_guesses_too_often_is_told_to_wait(browser: Browser, office: Office) -> None:
    page = browser.new_page()
    page.goto(office.url)
    for _ in range(4):
        page.get_by_label("아이디").fill("김하늘")
        page.get_by_label("비밀번호").fill("wrong")
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"\d+초 뒤에 다시"))
    page.context.close()


def test_a_new_alarm_appears_without_reload_and_is_spoken(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    expect(page.locator(CARD)).to_have_count(0)
    office.press("js-0001", place="거실")
    card = page.locator(CARD)
    expect(card).to_contain_text("거실 · 도움 버튼")
    expect(card).to_contain_text("js-0001")
    expect(card).to_contain_text("김하늘 이름으로")
    expect(page).to_have_title("(1) 상황판 · 안부 관제")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", "/icon/1.svg")
    expect(page.locator("#say-loud[aria-live=assertive]")).to_contain_text("새 호출. 거실")


def test_an_alarm_ages_in_colour_shape_and_word(office: Office, seat: Seat) -> None:
    office.press()
    page = seat.page("김하늘")
    card = page.locator(CARD)
    expect(card.get_by_text("기다리는 중")).to_be_visible()
    office.ahead_s = 61
    expect(card.get_by_text("60초 초과", exact=True)).to_be_visible()
    expect(card.locator("time")).to_have_text(re.compile(r"^01:\d\d$"))
    office.ahead_s = 3700
    expect(card.get_by_text("180초 초과")).to_be_visible()
    expect(card.locator("time")).to_have_text(re.compile(r"^1:01:\d\d$"))


def test_evidence_gathers_on_the_card(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    alarm = office.press("js-0001", synced=False)
    office.hear("js-0001", office.event("js-0001", alarm, what=What.REPEATED))
    office.hear("js-0001", office.event("js-0001", alarm, what=What.CANCELLED))
    card = page.locator(CARD)
    expect(card).to_contain_text("2번 눌림")
    expect(card).to_contain_text("거주자가 취소함")
    expect(card).to_contain_text("허브 시계 미동기")


def test_a_dead_stream_is_said_and_heals(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    page.get_by_text("기다리는 호출이 없습니다.").first.wait_for()
    office.shut()
    bar = page.get_by_text("연결이 끊어져 화면이 오래되었을 수 있습니다")
    expect(bar).to_be_visible()
    expect(page.locator("#stale-age")).to_have_text(re.compile(r"^\d+초 전$"))
    expect(page.locator("#link")).to_contain_text("끊어짐")
    office.open()
    office.press()
    expect(page.locator(CARD)).to_have_count(1, timeout=20_000)
    expect(bar).to_be_hidden()


def test_the_language_switches_and_is_remembered(office: Office, seat: Seat) -> None:
    office.press()
    page = seat.page("김하늘")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", name="Waiting calls")).to_be_visible()
    page.get_by_role("link", name="Hubs").click()
    expect(page.get_by_role("columnheader", name="Last heard")).to_be_visible()
    page.get_by_role("link", name="한국어").click()
    expect(page.get_by_role("columnheader", name="마지막 소식")).to_be_visible()


def test_korean_is_drawn_with_real_glyphs(seat: Seat) -> None:
    page = seat.page("김하늘")
    drawn = page.evaluate(
        """() => ["안", "부", "호", "출"].map((letter) => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = "40px " + getComputedStyle(document.body).fontFamily;
            pen.fillText(letter, 4, 44);
            return pen.getImageData(0, 0, 60, 60).data.join();
        })"""
    )
    assert len(set(drawn)) == 4  # a font without Hangul draws the same box four times


def test_hubs_show_state_by_word_and_go_lost_by_themselves(office: Office, seat: Seat) -> None:
    office.greet("js-0001")
    office.greet("js-0002", Availability.LOST)
    page = seat.page("김하늘", "/hubs")
    row = page.get_by_role("row", name="js-0001")
    expect(row).to_contain_text("정상")
    expect(page.get_by_role("row", name="js-0002")).to_contain_text("연락 두절")
    office.ahead_s = 100
    expect(row).to_contain_text("연락 두절")
    expect(row).to_contain_text("1분 전")


def test_the_audit_is_for_supervisors(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    page = seat.page("김하늘", "/audit")
    expect(page.get_by_role("heading", name="볼 수 있는 권한이 없습니다")).to_be_visible()
    office.hire("이정민", Role.SUPERVISOR)
    page = seat.page("이정민", f"/audit?incident={alarm}")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("상담원", exact=True).fill("김하늘")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("맡음")


@pytest.mark.parametrize("width", [683, 1366, 1920])
def test_nothing_is_cut_off_sideways(office: Office, seat: Seat, width: int) -> None:
    alarm = office.press("js-0001", place="안방 옆 작은 화장실")
    page = seat.page("김하늘")
    page.set_viewport_size({"width": width, "height": 768})
    for path in ("/", f"/incidents/{alarm}"):
        page.goto(office.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, nav a, input:not([type=radio])")]
                .filter((one) => one.checkVisibility() && one.type !== "hidden")
                .filter((one) => one.getBoundingClientRect().height < 44)
                .map((one) => one.outerHTML)"""
        )
        assert small == []
