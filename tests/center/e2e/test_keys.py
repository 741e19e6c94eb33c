"""Working by keyboard and by ear, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from hub.contract.scaip import What
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office

pytestmark = pytest.mark.browser
CARD = "article.call"


def see_incident(page: Page, alarm: str) -> None:
    expect(page).to_have_url(re.compile(f"/incidents/{alarm}$"))


def test_taking_by_keyboard_tells_the_second_operator(office: Office, seat: Seat) -> None:
    alarm = office.press()
    one, two = seat.page("김하늘"), seat.page("박서준")
    expect(two.locator(CARD)).to_have_count(1)
    one.keyboard.press("t")
    see_incident(one, alarm)
    expect(one.get_by_text("내가 맡은 호출입니다.")).to_be_visible()
    expect(two.locator(CARD)).to_have_count(0)
    others = two.get_by_role("region", name="다른 상담원")
    expect(others).to_contain_text("김하늘 담당")
    expect(two.locator("#say")).to_contain_text("김하늘 담당")


def test_with_several_waiting_the_key_first_chooses(office: Office, seat: Seat) -> None:
    first, second = office.press("js-0001"), office.press("js-0002", place="침실")
    page = seat.page("김하늘")
    expect(page.locator(CARD)).to_have_count(2)
    page.keyboard.press("t")
    expect(page.locator(f"#title-{first}")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#title-{second}")).to_be_focused()
    office.press("js-0003", place="현관")
    expect(page.locator(CARD)).to_have_count(3)
    expect(page.locator(f"#title-{second}")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"#title-{first}")).to_be_focused()
    page.keyboard.press("t")
    see_incident(page, first)


def test_keys_work_while_a_hangul_keyboard_is_on(office: Office, seat: Seat) -> None:
    alarm = office.press()
    page = seat.page("김하늘")
    expect(page.locator(CARD)).to_have_count(1)
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        "{key: 'ㅅ', code: 'KeyT', bubbles: true, cancelable: true}))"
    )
    see_incident(page, alarm)


def test_shortcuts_are_shown_and_can_be_turned_off(office: Office, seat: Seat) -> None:
    office.press()
    page = seat.page("김하늘")
    expect(page.locator(CARD)).to_have_count(1)
    page.keyboard.press("Shift+Slash")
    expect(page.get_by_role("dialog", name="단축키")).to_be_visible()
    page.get_by_label("단축키 사용").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("j")
    expect(page.locator("article.call a")).not_to_be_focused()
    expect(page).to_have_url(office.url + "/")


def test_blocked_sound_is_said_and_one_click_turns_it_on(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    expect(page.get_by_text("브라우저가 소리를 막고 있습니다.")).to_be_visible()
    office.press()
    expect(page.locator(CARD)).to_have_count(1)
    page.get_by_role("button", name="소리 켜기").click()
    expect(page.get_by_text("새 호출이 울리고 있습니다.")).to_be_visible()
    page.get_by_role("button", name="1분 동안 끄기").click()
    expect(page.get_by_text("소리를 잠시 껐습니다")).to_be_visible()
    office.press("js-0002")  # what comes new is heard
    expect(page.get_by_text("새 호출이 울리고 있습니다.")).to_be_visible()
    for incident in ("js-0001-000001", "js-0002-000003"):
        office.take(incident, "김하늘")
    expect(page.get_by_text("소리 켜짐")).to_be_visible()
    again = office.event("js-0001", "js-0001-000001", what=What.REPEATED)
    office.hear("js-0001", again)  # a call that one holds rings, too, until it is answered
    expect(page.get_by_text("새 호출이 울리고 있습니다.")).to_be_visible()
    page.get_by_text("맡으신 호출이 다시 들어왔습니다").get_by_role("link").click()
    page.get_by_role("button", name="다시 들어온 호출 확인").click()
    expect(page.get_by_text("다시 들어온 호출을 확인함")).to_be_visible()
    expect(page.locator("#sound")).not_to_have_attribute("data-sound", "ringing")


COUNTED = """
globalThis.tones = 0;
globalThis.OscillatorNode = class extends OscillatorNode {
  start(...at) { globalThis.tones += 1; super.start(...at); }
};
"""
SET_BACK = "const ahead = Date.now; Date.now = () => ahead() - 30 * 86400e3"  # 30 days, by its user


def hears(page: Page) -> None:
    """Wait for another tone."""
    page.wait_for_function("before => globalThis.tones > before", arg=page.evaluate("tones"))


def test_a_clock_that_is_set_back_does_not_silence_the_console(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    page.context.add_init_script(COUNTED)
    page.reload()
    office.press()
    page.get_by_role("button", name="소리 켜기").click()
    hears(page)
    page.evaluate(SET_BACK)
    hears(page)  # what was written by the clock of before says nothing now
    page.get_by_role("button", name="1분 동안 끄기").click()
    expect(page.get_by_text("소리를 잠시 껐습니다")).to_be_visible()
    page.evaluate(SET_BACK)
    expect(page.get_by_text("새 호출이 울리고 있습니다.")).to_be_visible()
    hears(page)


def test_what_an_earlier_clock_left_is_ignored_after_a_reload(office: Office, seat: Seat) -> None:
    page = seat.page("김하늘")
    page.context.add_init_script(COUNTED)
    for name, left in {"anbu-mute": "Date.now() + 2591991e3", "anbu-next": "'Infinity'"}.items():
        page.evaluate(f"localStorage.setItem('{name}', {left})")
    page.reload()
    office.press()
    page.get_by_role("button", name="소리 켜기").click()
    expect(page.get_by_text("새 호출이 울리고 있습니다.")).to_be_visible()
    hears(page)
