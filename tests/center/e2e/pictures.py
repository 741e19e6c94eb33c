"""Make the pictures of the installer's guide anew, from the running product.

    .venv/bin/python -m tests.center.e2e.pictures    # writes docs/images/install/*.png

Each is what a telephone of 360 px shows; no picture is larger than 100 KB.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from center.service.auth import COOKIE, Role
from tests.broker import wait_until
from tests.center.e2e.office import Office
from tests.center.e2e.setting_up import SettingUp, answer_all, claim
from tests.center.est import settings
from tests.conftest import ARGS

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images" / "install"
INSTALLER, OPERATOR = "이설치", "김하늘"
WIDE_PX, HIGH_PX = 360, 780
A4_PX = (718, 1046)  # at 96 dpi, within margins of 10 mm


def main() -> None:
    """Walk through an installation, and take a picture of each screen."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        own = settings(Path(folder))
        with Office(f"sqlite:///{folder}/center.db", authority=own) as office:
            office.hire(INSTALLER, Role.INSTALLER)
            office.hire(OPERATOR)
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
            walk(browser, office)
            browser.close()
    for file in sorted(FOLDER.glob("*.png")):
        sys.stdout.write(f"{file.stat().st_size:7} {file.name}\n")


def walk(browser: Browser, office: Office) -> None:
    """Set a home up."""
    page = sit(browser, office, INSTALLER)
    home = SettingUp(office)
    home.keep_record()
    page.goto(f"{office.url}/install/claim")
    shoot(page, "claim")
    page.goto(f"{office.url}/install")
    claim(home, page)
    page.get_by_role("button", name="설치 시작").click()
    home.report()
    home.measure()
    home.show(living=0.0, cancel=0.0)
    expect(page.locator("#step-sensors")).to_have_attribute("aria-current", "step")
    shoot(page, "steps")
    shoot(page, "sensors", "step-sensors")
    page.locator("#step-sensors").get_by_role("button", name="시험 모드 켜기").click()
    home.obey()
    wait_until(home.is_tested, "the home shows test mode")
    page.goto(f"{office.url}/install/{home.hub}")
    shoot(page, "test", "step-sensors")
    home.use_all()
    home.press("call-1")
    board = sit(browser, office, OPERATOR)
    board.get_by_role("button", name="시험이었음").click()
    home.rehearse()
    expect(page.locator("#step-consents")).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="시험 모드 끄기").click()
    shoot(page, "consents", "step-consents")
    page.goto(f"{office.url}/install")
    shoot(page, "list")
    page.get_by_role("link", name="한가온").click()
    answer_all(page)
    page.get_by_role("button", name="설치 마치기").click()
    page.get_by_role("link", name="설치 보고서").click()
    shoot(page, "report")
    page.get_by_role("link", name="안내장 인쇄하기").click()
    paper = sit(browser, office, INSTALLER, scale=0.7)
    paper.emulate_media(media="print")
    paper.set_viewport_size({"width": A4_PX[0], "height": A4_PX[1]})
    paper.goto(page.url)
    paper.screenshot(path=FOLDER / "sheet.png")


def sit(browser: Browser, office: Office, name: str, *, scale: float = 1.0) -> Page:
    """Return a telephone on which somebody is signed in."""
    size = ViewportSize(width=WIDE_PX, height=HIGH_PX)
    context = browser.new_context(viewport=size, device_scale_factor=scale, locale="ko-KR")
    context.add_cookies([{"name": COOKIE, "value": office.admit(name), "url": office.url}])
    page = context.new_page()
    page.goto(office.url)
    return page


def shoot(page: Page, name: str, at: str = "") -> None:
    """Take a picture, of the page's top or from an element on."""
    page.evaluate("at => at ? document.getElementById(at).scrollIntoView() : scrollTo(0, 0)", at)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
