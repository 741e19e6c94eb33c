"""A person at the page presses the pendant, wears the band, measures, and takes the phone away."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from hub.core.model.events import (
    BatteryMeasured,
    HeartRateMeasured,
    VitalsMeasured,
    WirelessFound,
    WirelessPressed,
)
from tests.drivers.bluetooth.virtual_home import Air, play
from tests.drivers.home import served
from tests.drivers.virtual.test_house_browser import looking

pytestmark = [pytest.mark.usefixtures("pins"), pytest.mark.browser]
PHONE_PX = 360


def test_what_is_done_at_the_page_reaches_the_hub_over_the_air(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with served(air.home.path) as url, looking(url) as page:
            pendant, band, cuff, door, phone = (
                page.locator(f"[data-device={name}]")
                for name in ("pendant", "band", "cuff", "balcony", "phone")
            )
            await expect(page.locator("#unheard")).to_be_visible()
            async with air.radio():
                await expect(page.locator("#unheard")).to_be_hidden()
                await pendant.get_by_role("button", name="누르기").click()
                await air.until(lambda: len(air.heard(WirelessPressed)) == 1)
                await door.get_by_role("button").click()
                await expect(door).to_contain_text("열림")
                await air.until(lambda: True in [e.on for e in air.heard(WirelessFound)])
                await band.locator("[data-value=pulse]").fill("131")
                await expect(band).to_contain_text("맥박 131회")
                await band.locator("[data-value=variation]").fill("2")
                await expect(band).to_contain_text("불규칙")
                await band.locator("[data-value=charge]").fill("9")
                await air.until(
                    lambda: (
                        131 in [e.bpm for e in air.heard(HeartRateMeasured)]
                        and 9 in [e.battery_pct for e in air.heard(BatteryMeasured)]
                    )
                )
                await cuff.locator("[data-value=systolic]").fill("171")
                await cuff.locator("[data-value=diastolic]").fill("98")
                await cuff.get_by_role("button").click()
                await air.until(lambda: len(air.heard(VitalsMeasured)) == 1)
                assert air.heard(VitalsMeasured)[0].values["systolic_mmhg"] == 171
                assert air.heard(VitalsMeasured)[0].values["diastolic_mmhg"] == 98
                await band.get_by_role("button", name="착용").click()
                await expect(band).to_contain_text("벗어 둠")
                await phone.get_by_role("button").click()
                await expect(phone).to_contain_text("멀리 있음")
                await page.click("[data-lang=en]")
                await expect(phone).to_contain_text("away")
            await expect(page.locator("#unheard")).to_contain_text("not running")
            await pendant.get_by_role("button", name="Press").click()
            await expect(page.locator("#refused")).to_contain_text("No radio process")

    play(tmp_path, story)


def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(tmp_path: Path) -> None:
    async def story(air: Air) -> None:
        async with served(air.home.path) as url, looking(url) as page:
            for language in ("ko", "en"):
                await page.set_viewport_size({"width": PHONE_PX, "height": 740})
                await page.click(f"[data-lang={language}]")
                await expect(page.locator(".device")).to_have_count(6)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= PHONE_PX

    play(tmp_path, story)
