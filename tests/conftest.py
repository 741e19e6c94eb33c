"""What all tests share."""

import ast
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

# A busy machine is no failure: what must be fast is measured in bench/.
settings.register_profile(
    "anbu", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("anbu")

os.environ["ANBU_LANG"] = "ko"  # whoever runs them: tests of English say so


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The console's browser comes last: Playwright's loop then holds the main thread for good."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the one browser of all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield chromium
        chromium.close()


if sys.version_info < (3, 11, 5):
    # CPython gh-106905: what runs meanwhile may disturb the parser, which then raises SystemError.
    # Debian 12 has 3.11.2, and hypothesis parses the source of each test.
    _parse = ast.parse

    def _parse_again(*args: object, **options: object) -> object:
        try:
            return _parse(*args, **options)  # type: ignore[call-overload]
        except SystemError:
            return _parse(*args, **options)  # type: ignore[call-overload]

    ast.parse = _parse_again  # type: ignore[assignment]
