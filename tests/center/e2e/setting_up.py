"""A home that is being set up, for browsers: what its hub shows, and what its resident does.

home = SettingUp(office)
home.show(living=5.0)       # the hub reports: somebody walked past the sensor 5 s ago
home.press()                # the red button; in test mode it waits as a test
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from center.domain.incident import Deed, Entry
from center.domain.installation import MAINS
from center.service import enrolment
from center.service.auth import Role
from center.store.rows import leases, records
from hub.contract.messages import (
    CommandKind,
    InstallDevice,
    InstallReport,
    PairingReport,
    Reply,
)
from hub.contract.scaip import Kind, What, of_alarm
from tests.center.e2e.office import Office
from tests.center.est import request, settings
from tests.center.lives import RECORD

HUB = "js-0417"
INSTALLER, SECOND, OPERATOR, SUPERVISOR = "이설치", "박설치", "김하늘", "이정민"
BOOT = "b"
DEVICES = (
    InstallDevice("living", "motion", "거실", on=False),
    InstallDevice("front", "exit_door", "현관문", on=False),
    InstallDevice("help", "help_button", "거실", on=False),
    InstallDevice("cord", "pull_cord", "욕실", on=False),
    InstallDevice("cancel", "cancel_button", "거실", on=False),
    InstallDevice("pendant", "help_button", wireless=True, battery_pct=97.0),
    InstallDevice("band", "wearable", wireless=True, battery_pct=64.0),
    InstallDevice("ups", "mains", on=True, battery_pct=99.0),
)


@contextmanager
def staffed(folder: Path) -> Iterator[Office]:
    """An office that registers hubs, with two installers, an operator and a supervisor."""
    with Office(f"sqlite:///{folder / 'center.db'}", authority=settings(folder)) as office:
        for name in (INSTALLER, SECOND):
            office.hire(name, Role.INSTALLER)
        office.hire(OPERATOR)
        office.hire(SUPERVISOR, Role.SUPERVISOR)
        yield office


class SettingUp:
    """A home in an office; `used` are ages in seconds by device, as the hub reports them."""

    def __init__(self, office: Office, hub: str = HUB) -> None:
        self.office, self.hub = office, hub
        self.used: dict[str, float] = {}
        self.said: dict[str, float] = {}
        self.mains = True
        self._orders = 0

    def keep_record(self) -> None:
        """Let the centre know who lives there."""
        change = Entry(self.office.now(), Deed.RECORD_CHANGED, version=0)
        put = records.put
        self.office.store.submit(lambda conn: put(conn, self.hub, RECORD, change)).result(10)

    def greet(self, pairing: PairingReport | None = None) -> None:
        """Let the hub connect."""
        self.office.greet(self.hub, boot=BOOT, pairing=pairing)

    def show(self, **used: float) -> None:
        """Report: which devices were used so many seconds ago, beside those of before."""
        self.used |= used
        self.report()

    def report(self, **more: object) -> None:
        """Report as before, with other figures."""
        devices = tuple(
            replace(
                one,
                on=self.mains if one.what == MAINS else one.on,
                used_s=self.used.get(one.name),
                heard_s=self.used.get(one.name),
            )
            for one in DEVICES
        )
        said = InstallReport(
            self.office.now(), synced=True, boot=BOOT, software="0.9", devices=devices,
            has=("radio", "setup", "voice"), way="wifi", network="우리집", signal_dbm=-58,
            ahead_s=0.2, voice="talking",
        )  # fmt: skip
        self.office.hear(self.hub, replace(said, **self.said, **more))

    def speak(self) -> None:
        """Let the resident call, be asked back, and answer no."""
        self.said = {"spoke_s": 0.2, "heard_s": 0.0, "answered_s": 0.0}
        self.report()

    def measure(self) -> None:
        """Report as often as a hub does, until the signal is measured."""
        for _ in range(5):
            self.office.ahead_s += 6
            self.report()

    def pull(self) -> None:
        """Pull the mains plug, and put it back in after the time that the guide says."""
        for self.mains, ago_s in ((False, 0.0), (False, 15.0), (True, 20.0)):
            self.office.ahead_s += 10
            self.show(ups=ago_s)

    def obey(self) -> None:
        """Answer the orders that have come, as a hub does."""
        new, self._orders = self.office.orders[self._orders :], len(self.office.orders)
        for hub, command in new:
            if hub == self.hub and command.kind is not CommandKind.ANNOUNCE:
                self.office.hear(hub, Reply(command.id, done=True))

    def is_tested(self) -> bool:
        """Whether the home shows test mode."""
        held = self.office.store.read(leases.standing, self.office.now(), self.hub)
        return bool(held) and held[0].shown_utc is not None

    def press(self, alarm: str, what: What = What.RAISED) -> None:
        """Press the red button, or take the call back at the green one."""
        said = self.office.event(self.hub, alarm, "거실", what, ago_s=0.0)
        data = replace(
            said.data, boot=BOOT, scaip=of_alarm(Kind.HELP_BUTTON, what, "거실", said.id)
        )
        self.office.hear(self.hub, replace(said, data=data))

    def use_all(self) -> None:
        """Use every sensor, button and device, pull the mains, and answer the hub."""
        self.show(**{one.name: 0.0 for one in DEVICES if one.what != MAINS})
        self.pull()
        self.speak()

    def rehearse(self) -> None:
        """Let the resident press the red button, and then the green one."""
        self.press("call-2")
        self.press("call-2", What.CANCELLED)


def claim(home: SettingUp, page: Page) -> None:
    """Type the hub's digits at the list of homes, and go to the home's page."""
    body = request(ec.generate_private_key(ec.SECP256R1()))
    desk = home.office.desk
    digits = home.office.act(enrolment.ask(desk, body, "203.0.113.9")).digits
    page.get_by_role("link", name="새 허브 등록").click()
    page.locator("#digits").press_sequentially(digits)
    page.get_by_label("센터에 있는 집").check()
    page.get_by_label("집 번호").fill(home.hub)
    page.get_by_role("button", name="다음").click()
    page.get_by_role("button", name="예, 이 집에 등록합니다").click()
    home.office.act(enrolment.ask(desk, body, "203.0.113.9"))
    expect(page.locator("#fetched")).to_be_visible()
    home.greet()
    page.get_by_role("link", name="설치 화면으로").click()


def answer_all(page: Page) -> None:
    """Choose an answer for each consent in turn, and for 119안심콜."""
    asked = page.locator("[id^=part-consents-]")
    for n in range(asked.count()):
        answer = "동의하심" if n % 2 else "동의하지 않으심"
        asked.nth(n).get_by_role("button", name=answer, exact=True).click()
        expect(asked.nth(n).locator(".chosen")).to_have_text(answer)
    page.get_by_role("button", name="등록하셨음").click()
