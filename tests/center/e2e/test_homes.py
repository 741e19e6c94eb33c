"""The homes' pages in a real Chromium: by keyboard, live, in both languages, on paper."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from center.domain import times
from center.domain.incident import Deed, Entry, Outcome
from center.service.auth import Role
from center.store.rows import audit, records
from hub.contract.messages import CheckInResult
from hub.contract.scaip import Care, Kind, What
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office
from tests.center.lives import QUIET, RECORD, care, check_in, usual_hours

pytestmark = pytest.mark.browser
HUB = "js-0001"
HOME = f"/homes/{HUB}"
PAGES = (
    "/", "/calls-today", "/checkins", "/announcements", "/hubs", "/false-alarms?days=90", "/audit",
    HOME, f"{HOME}?days=7", f"{HOME}/edit", f"{HOME}/119", "/incidents/q-1",
)  # fmt: skip


@pytest.fixture
def home(office: Office) -> Office:
    """A home with a record, a week of days, a check-in of each kind, and an alarm."""
    office.hire("이정민", Role.SUPERVISOR)
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by="이정민")
    office.store.submit(lambda conn: records.put(conn, HUB, RECORD, change)).result()
    office.greet(HUB)
    for hour in usual_hours(office.now(), 24 * 8):
        office.hear(HUB, hour)
    for number, result in enumerate(CheckInResult):
        day = times.day_of(office.now() - (number + 1) * times.DAY_S)
        if result not in {CheckInResult.MISSED, CheckInResult.UNCLEAR, CheckInResult.UNWELL}:
            office.hear(HUB, check_in(result, f"{day}-0900"))
    said = office.event(HUB, "q-1", "", kind=Kind.QUIET, device="")
    evidence = replace(QUIET, since_utc=office.now() - QUIET.lasted_s)
    office.hear(HUB, replace(said, data=replace(said.data, evidence=evidence)))
    return office


def deeds(office: Office) -> list[Deed]:
    lines = office.store.read(audit.search)
    return [line.entry.deed for line in reversed(lines) if line.entry.hub == HUB]


def test_an_alarm_says_why_in_both_languages_and_is_taken_by_key(home: Office, seat: Seat) -> None:
    page = seat.page("김하늘", "/incidents/q-1")
    why = page.get_by_role("region", name="왜 호출되었나")
    expect(why).to_contain_text("거실, 부엌, 욕실에서")
    expect(why).to_contain_text("5시간 20분 동안 움직임이 없습니다.")
    expect(page.get_by_role("img", name=re.compile("방마다 시간별로 감지된 횟수"))).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_text("내가 맡은 호출입니다.")).to_be_visible()
    said = home.event(HUB, "q-1", "", what=What.CLEARED, kind=Kind.QUIET, device="")
    home.hear(HUB, said)
    expect(why).to_contain_text("다시 움직임이 있었습니다.")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("region", name="Why this call")).to_contain_text("for 5 h 20 min")


def test_the_picture_has_a_table_that_stays_open(home: Office, seat: Seat) -> None:
    page = seat.page("김하늘", HOME)
    page.get_by_text("표로 보기").click()
    table = page.locator("table.tight").last
    expect(table).to_be_visible()
    expect(table.get_by_role("rowheader", name="거실")).to_be_visible()
    home.hear(HUB, care())
    expect(page.get_by_text("상담 요청")).to_be_visible()
    expect(table).to_be_visible()
    page.get_by_role("link", name="7일 보기").click()
    expect(page).to_have_url(re.compile("days=7"))
    expect(page.locator("svg.days .date")).to_have_count(7)


def test_who_needs_a_call_comes_live_and_is_dealt_with_by_keyboard(
    home: Office, seat: Seat
) -> None:
    page = seat.page("김하늘", "/calls-today")
    expect(page.get_by_text("지금 전화할 곳이 없습니다.")).to_be_visible()
    home.hear(HUB, care(Care.LOW_MOOD, score=4))
    card = page.locator("li.task")
    expect(card).to_contain_text("우울감")
    expect(card).to_contain_text("010-0000-0101")
    expect(page.locator("#to-needs")).to_contain_text("전화할 곳 1곳")
    page.keyboard.press("j")
    expect(card.get_by_role("link", name=RECORD.name)).to_be_focused()
    page.keyboard.press("n")
    expect(card.get_by_label("통화 메모")).to_be_focused()
    page.keyboard.insert_text("내일 다시 전화드리기로 함")
    home.hear(HUB, care())
    expect(card).to_contain_text("상담 요청")
    expect(card.get_by_label("통화 메모")).to_have_value("내일 다시 전화드리기로 함")
    page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="통화함")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("지금 전화할 곳이 없습니다.")).to_be_visible()
    expect(page.get_by_text("내일 다시 전화드리기로 함").first).to_be_visible()
    expect(page.locator("#to-needs")).to_contain_text("전화할 곳 0곳")


def test_two_at_once_and_the_second_learns_who_was_first(home: Office, seat: Seat) -> None:
    home.hear(HUB, care())
    first = seat.page("김하늘", "/calls-today")
    second = seat.page("박서준", "/calls-today", scripts=False)  # its page is old when it is sent
    first.get_by_label("통화 메모").fill("상담 날짜를 잡음")
    first.get_by_role("button", name="통화함").click()
    expect(first.get_by_text("지금 전화할 곳이 없습니다.")).to_be_visible()
    second.get_by_label("통화 메모").fill("받지 않으심")
    second.get_by_role("button", name="받지 않음").click()
    alert = second.get_by_role("alert")
    expect(alert).to_contain_text("이미 처리되었습니다.")
    expect(alert).to_contain_text("김하늘 상담원이")
    expect(alert).to_contain_text("받지 않으심")
    assert deeds(home).count(Deed.CALLED) == 1


def test_a_call_without_an_answer_stays_and_shows_at_the_others(home: Office, seat: Seat) -> None:
    home.hear(HUB, care())
    first, second = (seat.page(name, "/calls-today") for name in ("김하늘", "박서준"))
    first.get_by_role("button", name="받지 않음").click()
    expect(second.locator("li.task")).to_contain_text("1번 전화했으나 받지 않음")
    second.get_by_role("button", name="방문을 잡음").click()
    expect(second.get_by_text("지금 전화할 곳이 없습니다.")).to_be_visible()
    expect(first.get_by_text("박서준 상담원이").first).to_be_visible()


@pytest.mark.usefixtures("home")
def test_a_record_is_changed_in_english_by_keyboard(seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/edit?lang=en")
    code = page.get_by_label("Door code")
    code.fill("7777*")
    page.get_by_label("Year of birth").fill("41")
    code.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("To put right: 1")
    year = page.get_by_label("Year of birth")
    expect(year).to_have_attribute("aria-invalid", "true")
    expect(code).to_have_value("7777*")
    year.fill("1942")
    year.press("Enter")
    expect(page.get_by_role("heading", name=RECORD.name)).to_be_visible()
    expect(page.get_by_text("7777*")).to_be_visible()
    expect(page.get_by_text("born 1942")).to_be_visible()
    boss = seat.page("이정민", f"/audit?hub={HUB}&lang=en")
    expect(boss.get_by_role("cell", name="Year of birth, Door code")).to_be_visible()
    assert "7777" not in boss.content()


def test_the_119_sheet_is_one_page_of_paper_and_its_print_is_kept(home: Office, seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/119")
    expect(page.get_by_text("이 시스템은 119에 신고하지 않으며")).to_be_visible()
    expect(page.get_by_text("오래 움직임 없음").last).to_be_visible()
    page.get_by_role("button", name="인쇄").click()
    for _ in range(50):
        if Deed.SHEET_PRINTED in deeds(home):
            break
        page.wait_for_timeout(100)
    assert deeds(home)[-2:] == [Deed.SHEET_SEEN, Deed.SHEET_PRINTED]
    # the first page waits for a printer that nobody has here, and is not printed a second time
    page = seat.page("김하늘", f"{HOME}/119")
    paper = page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", paper)) == 1
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="인쇄")).to_be_hidden()
    expect(page.locator("header.top")).to_be_hidden()
    expect(page.get_by_text(RECORD.address)).to_be_visible()


def test_what_was_a_false_alarm_is_counted(home: Office, seat: Seat) -> None:
    home.take("q-1", "김하늘")
    home.close("q-1", "김하늘", Outcome.PET)
    page = seat.page("김하늘", "/false-alarms")
    rules = page.get_by_role("region", name="규칙별")
    expect(rules.get_by_role("row", name=re.compile("오래 움직임 없음"))).to_contain_text("100%")
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV로 받기").click()
    assert "rule,,,quiet,1,1,1" in saved.value.path().read_text("utf-8-sig")


@pytest.mark.parametrize("width", [820, 1280, 1920])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_no_page_is_wider_than_its_window(home: Office, seat: Seat, width: int, lang: str) -> None:
    for kind in Care:
        home.hear(HUB, care(kind))
    page = seat.page("이정민", f"/?lang={lang}")
    page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES:
        page.goto(home.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if width >= 1280:
            assert is_one_row(page), path


def is_one_row(page: Page) -> bool:
    """Whether the menu and the tools are side by side."""
    nav, tools = (page.locator(name).bounding_box() for name in (".top nav", ".top .tools"))
    assert nav
    assert tools
    return abs(nav["y"] - tools["y"]) < 30
