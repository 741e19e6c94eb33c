"""The incident page in a real Chromium: two people, half-typed text, forgotten takes."""

import re

import pytest
from playwright.sync_api import Page, expect

from center.domain.by_people import PATIENCE
from center.domain.incident import Outcome
from center.service import incidents
from center.service.incidents import Target
from hub.contract.scaip import What
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import SESSION_S, Office

pytestmark = pytest.mark.browser
CARD = "article.call"


def see_incident(page: Page, alarm: str) -> None:
    expect(page).to_have_url(re.compile(f"/incidents/{alarm}$"))


def test_two_take_at_once_and_the_second_learns_who_was_faster(office: Office, seat: Seat) -> None:
    alarm = office.press()
    page = seat.page("박서준", scripts=False)
    office.take(alarm, "김하늘")
    page.get_by_role("button", name="내가 맡기").click()
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"그 사이 바뀌었습니다. 김하늘 상담원이 \d\d:\d\d:\d\d에 맡았습니다")
    )
    expect(page.get_by_role("button", name="김하늘 상담원에게서 넘겨받기")).to_be_visible()


def test_closing_needs_an_outcome_and_keeps_the_note(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    page = seat.page("김하늘", f"/incidents/{alarm}")
    page.keyboard.press("p")
    expect(page.locator("li[aria-current=step]")).to_contain_text("현장")
    page.get_by_label("종료 메모").fill("따님이 와 계심")
    page.get_by_role("button", name="종료", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("종료 결과를 골라 주세요. 쓰신 글은")
    expect(page.get_by_label("종료 메모")).to_have_value("따님이 와 계심")
    page.keyboard.press("c")
    page.keyboard.press("Space")
    expect(page.get_by_label("119에 신고함")).to_be_checked()
    page.get_by_label("가족·이웃이 도움").check()
    page.get_by_role("button", name="종료", exact=True).click()
    expect(page).to_have_url(office.url + "/")
    expect(page.get_by_role("region", name="최근 종료")).to_contain_text(
        "가족·이웃이 도움 · 김하늘"
    )


def test_news_while_typing_neither_takes_the_focus_nor_the_text(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    page = seat.page("김하늘", f"/incidents/{alarm}")
    page.get_by_label("반려동물").check()
    page.get_by_label("종료 메모").fill("고양이가")
    page.keyboard.press("n")  # a letter here, no shortcut
    office.act(incidents.note(office.desk, Target("박서준", alarm), "이웃에 전화함"))
    office.hear("js-0001", office.event("js-0001", alarm, what=What.REPEATED))
    expect(page.locator(".timeline")).to_contain_text("이웃에 전화함")
    expect(page.locator(".badges")).to_contain_text("2번 눌림")
    expect(page.get_by_label("종료 메모")).to_be_focused()
    page.keyboard.type(" 눌렀음")
    expect(page.get_by_label("종료 메모")).to_have_value("고양이가n 눌렀음")
    expect(page.get_by_label("반려동물")).to_be_checked()


def test_a_stale_close_says_who_did_what_and_keeps_the_text(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    page = seat.page("김하늘", f"/incidents/{alarm}", scripts=False)
    page.get_by_label("실수로 누름").check()
    page.get_by_label("종료 메모").fill("잘못 누르셨다고 함")
    office.hear("js-0001", office.event("js-0001", alarm, what=What.REPEATED))
    page.get_by_role("button", name="종료", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("거주자가 다시 눌렀습니다")
    expect(page.get_by_label("종료 메모")).to_have_value("잘못 누르셨다고 함")
    expect(page.get_by_label("실수로 누름")).to_be_checked()
    page.get_by_role("button", name="종료", exact=True).click()
    expect(page.get_by_role("region", name="최근 종료")).to_contain_text("실수로 누름")


def test_a_forgotten_take_goes_back_to_waiting(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    page = seat.page("박서준")
    expect(page.get_by_role("region", name="다른 상담원")).to_contain_text("대기로 돌아가기까지")
    office.ahead_s = PATIENCE.take_expires_s + 1
    expect(page.locator(CARD)).to_have_count(1)
    page.locator(f"#title-{alarm}").click()
    expect(page.locator(".timeline")).to_contain_text(
        "김하늘 상담원의 담당 시간이 지나 대기로 돌아감"
    )


def test_a_closed_call_can_be_opened_again(office: Office, seat: Seat) -> None:
    alarm = office.press()
    office.close(alarm, "김하늘", Outcome.REASSURED)
    page = seat.page("김하늘", f"/incidents/{alarm}")
    page.get_by_role("button", name="다시 열기").click()
    expect(page.get_by_text("아직 아무도 맡지 않았습니다.")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("다시 엶 · 김하늘")


def test_a_page_that_lost_its_sign_in_says_so_and_keeps_the_text(
    office: Office, seat: Seat
) -> None:
    alarm = office.press()
    page = seat.page("김하늘", f"/incidents/{alarm}")
    page.get_by_label("새 메모").fill("지워지면 안 되는 글")
    office.ahead_s = SESSION_S + 1
    expect(page.get_by_text("로그인이 끝났습니다.")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("새 메모")).to_have_value("지워지면 안 되는 글")
