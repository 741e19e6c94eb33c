"""One office for each test, and who sits there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from center.service.auth import COOKIE
from tests.center.e2e.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        office.hire("박서준")
        yield office


class Seat:
    """Operators at their screens; each has a browser of their own."""

    def __init__(self, browser: Browser, office: Office) -> None:
        self._browser = browser
        self._office = office
        self.errors: list[str] = []

    def page(self, name: str, path: str = "/", *, scripts: bool = True) -> Page:
        """Return a page on which somebody is signed in and has not clicked yet."""
        context = self._browser.new_context(
            viewport={"width": 1366, "height": 768}, java_script_enabled=scripts
        )
        context.set_default_timeout(10_000)
        secret = self._office.admit(name)
        context.add_cookies([{"name": COOKIE, "value": secret, "url": self._office.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._note(said.text))
        page.goto(self._office.url + path)
        return page

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text or "SyntaxError" in text:
            self.errors.append(text)


@pytest.fixture
def seat(browser: Browser, office: Office) -> Iterator[Seat]:
    seat = Seat(browser, office)
    yield seat
    for context in browser.contexts:
        context.close()
    assert seat.errors == []
