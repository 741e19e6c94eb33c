"""The story of the installer's visit and the guide have the same steps: no virtual Pi is needed."""

import inspect
import re
from typing import cast
from unittest.mock import Mock

from playwright.sync_api import Page

from center.domain.installation import Step
from tests.pi import visit
from tests.pi.centre import Centre
from tests.pi.installed import Installed
from tests.pi.visit import Visit, parts, steps


def nobody_visits() -> Visit:
    page = cast("Page", Mock(spec=Page))
    home, office = Mock(spec=Installed), Mock(spec=Centre)
    return Visit(home, page, page, office)


def test_the_visit_knows_the_guides_steps_and_no_others() -> None:
    assert steps() == list(nobody_visits().ways) == [step.value for step in Step]


def test_what_the_visit_presses_is_named_by_the_guide() -> None:
    pressed = re.findall(r'self\.click\("([^"]+)"', inspect.getsource(visit))
    assert len(pressed) >= len(("claim", "go on", "test mode", "its end", "119", "finish"))
    told = "".join(parts().values())
    assert [name for name in pressed if f"「{name}」" not in told] == []
