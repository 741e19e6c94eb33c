"""A home that is being set up, for browsers: what its hub shows, and what its resident does.

home = SettingUp(office)
home.show(living=5.0)       # the hub reports: somebody walked past the sensor 5 s ago
home.press()                # the red button; in test mode it waits as a test
"""

from msgspec.structs import replace

from center.domain.incident import Deed, Entry
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
from tests.center.lives import RECORD

HUB = "js-0417"
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


class SettingUp:
    """A home in an office; `used` are ages in seconds by device, as the hub reports them."""

    def __init__(self, office: Office, hub: str = HUB) -> None:
        self.office, self.hub = office, hub
        self.used: dict[str, float] = {}
        self.said: dict[str, float] = {}
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
            replace(one, used_s=self.used.get(one.name), heard_s=self.used.get(one.name))
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
