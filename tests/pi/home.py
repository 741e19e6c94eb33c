"""One home in the lab: the virtual Pi with the hub installed, and on the host its broker."""

import logging
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.broker import Broker
from tests.pi import image, product
from tests.pi.centre import Centre
from tests.pi.guestlink import wait_until
from tests.pi.machine import BROKER_IN_GUEST, Machine

log = logging.getLogger("anbu-pi")

HUB = "js-0001"
HELP, CANCEL, RED, GREEN, AMBER, BUZZER = 17, 27, 22, 23, 24, 25
OUTBOX = "/var/lib/anbu/outbox.db"
UNIT = "anbu-hub.service"
INSTALL_S = 1200.0  # 70 s on an idle machine, beyond 300 beside eight busy neighbours
REST_S = 300.0  # a disk too slow beside busy neighbours is a fault: its second end takes 60 s
SETTINGS = f"""\
hub = "{HUB}"

[rules]  # each press is counted one by one
repeat_s = 0.001
repeat_doubtful_s = 0.001
wobble_presses = 1000000

[mqtt]
brokers = ["tls://{BROKER_IN_GUEST}"]
ca = "ca.crt"
cert = "hub.crt"
key = "hub.key"

[[device]]
kind = "contact"
name = "help"
pin = {HELP}
role = "help_button"
place = "living room"

[[device]]
kind = "contact"
name = "cancel"
pin = {CANCEL}
role = "cancel_button"

[[device]]
kind = "lamp"
name = "lamp"
red = {RED}
green = {GREEN}
amber = {AMBER}
buzzer = {BUZZER}
"""


class Home:
    """A context: within it the Pi runs the installed hub against `broker`."""

    settings = SETTINGS

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.broker = broker
        cargo = product.pack(folder, self._settings())
        self.pi = Machine(image.build(), folder, broker.port, cargo)

    def _settings(self) -> dict[str, bytes]:
        certs = self.broker.certs
        return {
            "hub.toml": self.settings.encode(),
            "ca.crt": (certs / "ca.crt").read_bytes(),
            "hub.crt": (certs / f"hubs/{HUB}.crt").read_bytes(),
            "hub.key": (certs / f"hubs/{HUB}.key").read_bytes(),
        }

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.pi.cut_power)  # nobody else ends a machine that could not be set up
            self.pi.boot()
            started = time.monotonic()
            self.pi.must("bash /opt/pi/install.sh", timeout_s=INSTALL_S)
            log.info("hub installed in %.0f s", time.monotonic() - started)
            self.pi.must(f"systemctl start {UNIT}")
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.pi.shut_down()

    def hub_runs(self) -> bool:
        """Whether systemd has had READY=1 from the hub."""
        return self.pi.run(f"systemctl is-active {UNIT}").code == 0

    def show(self, *names: str, unit: str = UNIT) -> dict[str, str]:
        """Return properties of the unit as systemd knows them."""
        wanted = " ".join(f"-p {name}" for name in names)
        lines = self.pi.must(f"systemctl show {wanted} {unit}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def shows(self, signal: str) -> bool:
        """Whether this is the signal on the lamp, as the hub says to systemd."""
        return f"signal {signal}" in self.show("StatusText")["StatusText"]

    def rest(self, centre: Centre) -> None:
        """Close what is open at the centre, and wait until the lamp rests."""
        for alarm in centre.open_alarms():
            centre.close(alarm["id"])
        wait_until(lambda: self.shows("resting"), REST_S, "the lamp rests")

    def log(self, unit: str = UNIT) -> str:
        """Return the last words of the unit, for a failing test to show."""
        return self.pi.run(f"journalctl --no-pager -o short-monotonic -u {unit} | tail -60").out
