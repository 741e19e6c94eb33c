"""A person at the page walks through the rooms, opens the door and pulls the plug."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from hub.core.model.events import BatteryMeasured
from tests.drivers.home import living, served
from tests.drivers.virtual.test_house_browser import looking
from tests.drivers.virtual.test_sensors import levels

pytestmark = [pytest.mark.usefixtures("pins"), pytest.mark.browser]


def test_a_click_walks_past_opens_and_unplugs_and_the_page_shows_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, served(home.path) as url, looking(url) as page:
            kitchen = page.locator("[data-sensor=kitchen]")
            await expect(kitchen).to_contain_text("부엌")
            await expect(kitchen).to_contain_text("움직임 없음")
            await kitchen.click()
            await expect(kitchen).to_contain_text("움직임 있음")
            await expect(kitchen).to_have_attribute("data-on", "true")
            front = page.locator("[data-sensor=front]")
            for state in ("열림", "닫힘"):
                await front.click()
                await expect(front).to_contain_text(state)
            await front.focus()
            await page.keyboard.press("Enter")
            await page.click("[data-lang=en]")
            await expect(front).to_contain_text("open")
            await page.click("[data-sensor=power]")
            await expect(page.locator("[data-sensor=power]")).to_contain_text("mains lost")
            await expect(page.locator("#sensors label")).to_contain_text("battery 100 %")
            await page.locator("[data-battery=power]").fill("12")
            await expect(page.locator("#sensors label")).to_contain_text("battery 12 %")
            power = home.sensors["power"]
            await power.until(
                lambda: any(
                    isinstance(e, BatteryMeasured) and e.battery_pct == 12 for e in power.emitted
                )
            )
            assert levels(home.sensors["front"]) == [False, True, False, True]
            assert levels(home.sensors["kitchen"])[:2] == [False, True]
            assert levels(power) == [True, False]

    asyncio.run(story())
