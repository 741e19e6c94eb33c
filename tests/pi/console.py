"""People at the centre's pages in a real Chromium: an installer with a telephone, an operator."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import ARGS
from tests.pi.centre import Centre
from tests.pi.guestlink import wait_until

INSTALLER, OPERATOR = "이설치", "김하늘"
PASSWORD = "nobody guesses this 1"  # noqa: S105 - of people who do not exist
RESIDENT = {  # nobody
    "name": "한가온",
    "address": "강원특별자치도 정선군 없는읍 보기로 1",
    "contact-0-name": "한누리",
    "contact-0-relation": "딸",
    "contact-0-phone": "010-0000-0000",
}
PHONE, SCREEN = (390, 844), (1366, 768)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; it ends with the story, so that the main thread is free for the next."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield browser
        browser.close()


def sign_in(browser: Browser, centre: Centre, name: str, size: tuple[int, int]) -> Page:
    """Open the centre's pages and sign in by hand."""
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.set_default_timeout(60_000)
    page.goto(centre.url)
    page.get_by_label("아이디").fill(name)
    page.get_by_label("비밀번호").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def fill_record(page: Page, centre: Centre, hub: str) -> None:
    """Write down who lives there, as an operator does from the county's list."""
    record = f"{centre.url}/homes/{hub}/edit"
    wait_until(lambda: _is_there(page, record), 300, "the hub has spoken to the centre", 1.0)
    for field, words in RESIDENT.items():
        page.locator(f"#{field}").fill(words)
    page.locator("#save").click()
    expect(page.get_by_role("heading", name=RESIDENT["name"])).to_be_visible()


def _is_there(page: Page, url: str) -> bool:
    found = page.goto(url)
    return found is not None and found.ok


def answer_as_test(page: Page, centre: Centre) -> str:
    """Wait for a press that waits as a test, and answer it so; return the incident's page."""
    page.goto(centre.url)
    waiting = page.locator("[id^=taken-]").filter(has_text="시험으로 기다림")
    expect(waiting).to_be_visible(timeout=60_000)
    waiting.get_by_role("link").click()
    page.locator("#test").click()
    expect(page.locator("#acts")).to_have_count(0)
    return page.url
