"""A person in front of the page of the virtual house, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from hub.contract.voice import Phrase
from hub.core.model.effects import Say, Show, Signal
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.drivers.home import living, served

pytestmark = [pytest.mark.usefixtures("pins"), pytest.mark.browser]
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def looking(address: str) -> AsyncIterator[Page]:
    """Look at the page; an error in its scripts fails the test."""
    errors: list[str] = []
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(address)
        yield page
        await browser.close()
    assert errors == []


def test_a_person_at_the_page_holds_the_button_and_sees_the_lamps(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, served(home.path) as url, looking(url) as page:
            button = home.contacts["help"]
            home.tell(Show(Signal.RESTING))
            await expect(page.locator("#meaning")).to_have_text(
                messages("drivers.virtual", Language.KOREAN)["signal"]["resting"]
            )
            await page.locator("#help").hover()
            await page.mouse.down()
            await button.until(lambda: button.closed() == [False, True])
            await expect(page.locator("#help")).to_have_class(re.compile("held"))
            home.tell(Show(Signal.RAISED), Say(Phrase.RAISED))
            await page.mouse.up()
            await button.until(lambda: button.closed() == [False, True, False])
            await expect(page.locator("#speech")).to_have_text("도움을 요청하고 있습니다.")
            red = page.locator("[data-lamp=red]")
            for lit in ("on", "^$", "on", "^$"):
                await expect(red).to_have_class(re.compile(lit))
            await expect(page.locator("#traces li").first).to_contain_text("빠르게 깜박임")

    asyncio.run(story())


def test_the_keyboard_and_english_do_as_well(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, served(home.path) as url, looking(url) as page:
            await page.click("[data-lang=en]")
            home.tell(Show(Signal.RAISED), Say(Phrase.RAISED))
            await expect(page.locator("#speech")).to_have_text("Calling for help.")
            await expect(page.locator("#spoken")).to_contain_text("도움을 요청하고 있습니다.")
            await expect(page.locator("html")).to_have_attribute("lang", "en")
            for key, name in (("h", "help"), ("c", "cancel"), ("p", "cord")):
                port = home.contacts[name]
                await page.keyboard.down(key)
                await port.until(lambda port=port: port.closed()[-1])  # type: ignore[misc]
                await page.keyboard.up(key)
                await port.until(lambda port=port: not port.closed()[-1])  # type: ignore[misc]
            await page.focus("#help")
            await page.keyboard.down("Space")
            await page.keyboard.down("Space")  # a key that repeats
            await home.contacts["help"].until(lambda: home.contacts["help"].closed()[-1])
            await page.evaluate("dispatchEvent(new Event('blur'))")
            await home.contacts["help"].until(lambda: not home.contacts["help"].closed()[-1])
            assert home.contacts["help"].closed() == [False, True, False, True, False]

    asyncio.run(story())


def test_the_page_says_when_the_house_is_gone_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path / "house.sock") as url, looking(url) as page:
            await expect(page.locator("#away")).to_be_visible()
            async with living(tmp_path) as home:
                home.tell(Show(Signal.OFFLINE))
                await expect(page.locator("#away")).to_be_hidden()
                await expect(page.locator("#meaning")).to_have_text(
                    messages("drivers.virtual", Language.KOREAN)["signal"]["offline"]
                )
                await page.click("#sound")
                await expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")
            await expect(page.locator("#away")).to_be_visible()

    asyncio.run(story())
