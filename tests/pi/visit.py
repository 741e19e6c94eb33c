"""The installer's visit, as docs/installing.ko.md tells it: its steps, in the guide's order.

What is pressed on a page has to be named by the guide, in the part that the installer is at. A step
that the guide has and this visit does not know ends the story, and so does one that it lacks.
"""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.layout import REPO
from tests.pi import console
from tests.pi.centre import Centre
from tests.pi.installed import CANCEL, DOOR, HELP, MAINS, MOTION, Installed

GUIDE = (REPO / "docs/installing.ko.md").read_text("utf-8")
SEEN_MS = 240_000  # the Pi's cores are emulated; what a page shows comes from there
PULLED_S = 20.0  # as the guide says; reports come every 5 s
TEST_MODE, OPENING, ENDING = "test-mode", "## 화면 열기", "## 마치기"


def parts() -> dict[str, str]:
    """Return the guide's parts: steps by the names of their anchors, others by their headings."""
    found = re.split(r'(?m)^(?:<a id="([\w-]+)"></a>\n#{2,3} .*|(## .*))$', GUIDE)
    names = [anchor or heading for anchor, heading in zip(found[1::3], found[2::3], strict=True)]
    return dict(zip(names, found[3::3], strict=True))


def steps() -> list[str]:
    """Return the guide's steps in its order, such as "home"."""
    return [name.removeprefix("step-") for name in parts() if name.startswith("step-")]


class Visit:
    """One visit: the installer with a telephone, the operator at a screen, fingers at the hub."""

    def __init__(self, home: Installed, phone: Page, desk: Page, office: Centre) -> None:
        self._home, self._phone, self._desk, self._office = home, phone, desk, office
        self._here = OPENING
        self.ways: dict[str, Callable[[], None]] = {
            "home": self.shown,
            "identity": self.shown,
            "network": self.shown,
            "sensors": self.sensors,
            "radio": self.shown,  # nothing is paired in this home: it says so
            "sound": self.shown,  # and nothing speaks
            "mains": self.mains,
            "clock": self.shown,
            "test_call": self.test_call,
            "resident": self.resident,
            "consents": self.consents,
            "ansim119": lambda: self.click("등록하셨음"),
        }

    def begin(self, digits: str, hub: str) -> None:
        """Claim a hub for a home that the centre does not know yet."""
        self._here = OPENING
        page = self._phone
        page.goto(f"{self._office.url}/install")
        self.click("새 허브 등록", "link")
        page.locator("#digits").press_sequentially(digits)
        page.get_by_label("새 집").check()
        page.get_by_label("집 번호").fill(hub)
        self.click("다음")
        self.click("예, 이 집에 등록합니다")
        expect(page.locator("#fetched")).to_be_visible(timeout=SEEN_MS)

    def go_on(self) -> None:
        """Go from the claim to the steps."""
        self._here = OPENING
        self.click("설치 화면으로", "link")
        self._phone.locator("#begin").click()
        expect(self._phone.locator("#progress")).to_be_visible()

    def do(self, step: str) -> None:
        """Do a step as the guide says, until the page says that it is done."""
        self._here = f"step-{step}"
        self.ways[step]()
        done = self._phone.locator(f"#step-{step} .install-n.done")
        expect(done).to_be_visible(timeout=SEEN_MS)

    def finish(self) -> int:
        """End the installation; return how many steps its report has."""
        self._here = TEST_MODE
        self.click("시험 모드 끄기")
        expect(self._phone.get_by_role("button", name="시험 모드 끄기")).to_have_count(0)
        self._here = ENDING
        self.click("설치 마치기")
        expect(self._phone.locator("#finished")).to_contain_text(console.INSTALLER)
        self._phone.get_by_role("link", name="설치 보고서").click()
        lines = self._phone.locator(".install-report > ol > li")
        expect(lines.first).to_be_visible()
        return lines.count()

    def click(self, name: str, role: str = "button") -> None:
        """Press what the guide names here."""
        assert f"「{name}」" in parts()[self._here], f"{self._here} does not name {name}"
        found = self._phone.get_by_role("link" if role == "link" else "button", name=name)
        found.locator("visible=true").first.click()

    def shown(self) -> None:
        """Do nothing: the hub or the centre shows it by itself."""

    def sensors(self) -> None:
        """Walk past, open the door, and press the buttons in test mode."""
        pi = self._home.pi
        list(pi.press(MOTION, down_s=2.0))
        self._has_seen("living")
        list(pi.press(DOOR, down_s=2.0))
        self._has_seen("front")
        self._here = TEST_MODE
        self.click("시험 모드 켜기")
        leased = self._phone.locator(".install-test.on:not(.warn)")
        expect(leased).to_be_visible(timeout=SEEN_MS)
        list(pi.press(CANCEL))
        self._has_seen("cancel")
        list(pi.press(HELP))
        console.answer_as_test(self._desk, self._office)
        self._has_seen("help")

    def mains(self) -> None:
        """Pull the plug, and put it back."""
        list(self._home.pi.press(MAINS, down_s=PULLED_S))

    def test_call(self) -> None:
        """Press; the operator answers as a test, unless that was done in the step of the sensors.

        One call that an operator has answered is enough for both.
        """
        if not self._phone.locator("#step-test_call .install-n.done").count():
            list(self._home.pi.press(HELP))
            console.answer_as_test(self._desk, self._office)

    def resident(self) -> None:
        """Let the resident press the red button, and take the call back at the green one."""
        list(self._home.pi.press(HELP))
        self._rehearsed("pressed")
        list(self._home.pi.press(CANCEL))
        self._rehearsed("cancelled")
        console.answer_as_test(self._desk, self._office)

    def consents(self) -> None:
        """Ask for each consent; the answers alternate."""
        asked = self._phone.locator("[id^=part-consents-]")
        for n in range(asked.count()):
            answer = "동의하심" if n % 2 else "동의하지 않으심"
            assert f"「{answer}」" in parts()[self._here]
            asked.nth(n).get_by_role("button", name=answer, exact=True).click()
            expect(asked.nth(n).locator(".chosen")).to_have_text(answer)

    def _has_seen(self, device: str) -> None:
        part = self._phone.locator(f"#part-sensors-{device}")
        expect(part).to_have_class("done", timeout=SEEN_MS)

    def _rehearsed(self, part: str) -> None:
        shown = self._phone.locator(f"#part-resident-{part}")
        expect(shown).to_have_class("done", timeout=SEEN_MS)
