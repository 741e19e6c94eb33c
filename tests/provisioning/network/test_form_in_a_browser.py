"""The form on a phone's narrow screen, in a real Chromium; NetworkManager is the fake."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.contract.provision import Fact, Network
from provisioning.network.service import Connections, Setup
from tests.broker import free_port, wait_until
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM

pytestmark = pytest.mark.browser

WIDTH_PX, HEIGHT_PX = 360, 740  # a small Galaxy
NAME, WRONG = "할머니댁", "wrong horse"
AIR = (
    {"ssid": HOME, "psk": PASSWORD, "strength": 75},
    {"ssid": b"KT_GiGA_5G_Wave2_A1B2", "keys": 0x400, "strength": 40},
    {"ssid": b"office", "keys": 0x200, "strength": 55},
    {"ssid": b"cafe", "strength": 20},
)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll('button, input, .networks label, a')]
    .filter(one => one.getClientRects().length && one.type !== 'radio' && one.type !== 'checkbox')
    .filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"""


class Running:
    """A hub's network in a thread of its own: Playwright holds the main one."""

    def __init__(self, port: int) -> None:
        self.facts = list[Fact]()
        self.connections = Connections(Setup(None, port, "a-machine"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self._end: Callable[[], object] = lambda: None

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.url and self.connections._spots, "the form is served", 30)

    @property
    def url(self) -> str:
        own = self.connections._form.own
        return f"http://{own}/" if own else ""

    def ways(self) -> list[str]:
        return [fact.way for fact in self.facts if isinstance(fact, Network)]

    def stop(self) -> None:
        self._end()
        self._thread.join(10)

    async def _live(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        work = asyncio.create_task(self.connections.run(self.facts.append))
        await ended.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.fixture
def hub(nm: FakeNM, quick: None) -> Iterator[Running]:  # noqa: ARG001 - it shortens
    nm.air(*AIR)
    running = Running(free_port())
    running.start()
    yield running
    running.stop()


class Phone:
    """Opens pages; what the browser complains of is kept."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self.errors = browser, list[str]()

    def page(self, url: str, *, scripts: bool = True) -> Page:
        context = self._browser.new_context(
            viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, java_script_enabled=scripts
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._note(said.text))
        page.goto(url)
        return page

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "SyntaxError" in text:
            self.errors.append(text)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Phone]:
    phone = Phone(browser)
    yield phone
    for context in browser.contexts:
        context.close()
    assert phone.errors == []


def shot(page: Page, name: str) -> None:
    """Keep a picture where `$ANBU_SHOTS` says so, to be looked at."""
    if folder := os.environ.get("ANBU_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fits(page: Page) -> None:
    """Nothing is cut off at the side, and a finger hits each thing."""
    assert page.evaluate(OVERFLOW) == 0
    assert page.evaluate(SMALL) == []


def test_the_form_is_korean_first_and_english_at_a_touch(hub: Running, phone: Phone) -> None:
    page = phone.page(hub.url)
    assert page.locator("html").get_attribute("lang") == "ko"
    expect(page.get_by_text("댁의 와이파이를 골라 주십시오")).to_be_visible()
    expect(page.get_by_label(NAME)).to_be_visible()
    expect(page.locator("#other")).to_be_hidden()
    page.get_by_label("목록에 없는").check()
    expect(page.locator("#other")).to_be_visible()
    fits(page)
    shot(page, "other-ko")
    page.get_by_label(NAME).check()
    shot(page, "form-ko")
    page.get_by_text("English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_text("Choose the Wi-Fi of this home")).to_be_visible()
    fits(page)
    shot(page, "form-en")


def test_a_wrong_password_is_a_sentence_and_the_list_comes_back(
    hub: Running, phone: Phone, nm: FakeNM
) -> None:
    page = phone.page(hub.url)
    page.get_by_label(NAME).check()
    page.get_by_label("와이파이 비밀번호").fill(WRONG)
    page.get_by_label("비밀번호 보기").check()
    assert page.locator("#password").get_attribute("type") == "text"
    page.get_by_role("button", name="연결", exact=True).click()
    expect(page.get_by_role("heading", name="연결하는 중")).to_be_visible()
    fits(page)
    shot(page, "doing-ko")
    expect(page.get_by_role("alert")).to_contain_text("비밀번호가 맞지 않습니다")
    expect(page.get_by_label(NAME)).to_be_checked()
    assert page.locator("#password").input_value() == ""
    fits(page)
    shot(page, "wrong-ko")
    page.get_by_label("와이파이 비밀번호").fill(PASSWORD)
    page.get_by_role("button", name="연결", exact=True).click()
    wait_until(lambda: "wifi" in hub.ways(), "the Wi-Fi is joined", 30)
    assert nm.state()["stored"] == [HOME.hex()]
    expect(page.locator("#away")).to_be_visible()
    shot(page, "away-ko")


def test_what_cannot_be_used_is_refused_with_a_sentence(hub: Running, phone: Phone) -> None:
    page = phone.page(hub.url)
    page.get_by_label("office").check()
    page.get_by_label("와이파이 비밀번호").fill(PASSWORD)
    page.get_by_role("button", name="연결", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("802.1X")
    fits(page)
    shot(page, "company-ko")
    page.get_by_label(NAME).check()
    page.get_by_label("와이파이 비밀번호").fill("비밀")
    page.get_by_role("button", name="연결", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("영문 자판")
    assert "none" not in hub.ways()[1:], "the hotspot stands"


def test_the_window_that_a_phone_opens_by_itself_may_have_no_scripts(
    hub: Running, phone: Phone
) -> None:
    page = phone.page(hub.url, scripts=False)
    expect(page.get_by_label("비밀번호 보기")).to_be_hidden()
    page.get_by_label(NAME).check()
    page.get_by_label("와이파이 비밀번호").fill(WRONG)
    page.get_by_role("button", name="연결", exact=True).click()
    expect(page.get_by_role("heading", name="연결하는 중")).to_be_visible()
    wait_until(lambda: hub.ways()[-1] == "hotspot" and hub.url, "the hotspot is back", 30)
    wait_until(lambda: hub.connections._state.result, "the try has ended", 30)
    wait_until(lambda: hub.url, "the form is served again", 30)
    page.goto(hub.url)
    expect(page.get_by_role("alert")).to_contain_text("비밀번호가 맞지 않습니다")
    page.get_by_text("English").click()
    expect(page.get_by_role("alert")).to_contain_text("The password is not right")
