"""A home with a radio: its environment and unit on the Pi; its adapter is Bumble's controller."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any, Self

from tests.broker import Broker
from tests.pi import image, product
from tests.pi.air import Air
from tests.pi.guestlink import wait_until
from tests.pi.home import SETTINGS, Home, log
from tests.pi.stages import HERE, key_of, run, stage

RADIO = "anbu-radio.service"
LOCK = product.REPO / "requirements/radio.txt"
ENVIRONMENT = "usr/lib/anbu/radio"
DISK_SIZE = "200M"
PENDANT, KEY = "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
DOOR = "38:39:8F:70:B2:E2"
BAND, PHONE = "F0:F1:F2:F3:F4:F5", "C4:C5:C6:C7:C8:C9"
ANBU = f"/{ENVIRONMENT}/bin/anbu radio"
KEYS, SCREEN = "/run/installer-keys", "/run/installer-screen"
DEVICES = f"""\
[[device]]
kind = "pendant"
name = "pendant"
address = "{PENDANT}"
key = "{KEY}"

[[device]]
kind = "sensor"
name = "front"
address = "{DOOR}"
sense = "exit_door"

[[device]]
kind = "wearable"
name = "band"
address = "{BAND}"
what = "band"
"""


def disk() -> Path:
    """Return the disk with the radio's environment; a minute at first, then at once."""
    rootfs = image.rootfs_of()
    key = key_of(rootfs.parent.name, LOCK, Path(__file__))
    return stage("radio", key, lambda folder: _disk(rootfs, folder)) / "radio.img"


def _disk(rootfs: Path, folder: Path) -> None:
    root = folder / "root"
    root.mkdir()
    product.environment(rootfs, root, LOCK, ENVIRONMENT)
    place = folder / "radio.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", place, DISK_SIZE)
    shutil.rmtree(root)


class RadioHome(Home):
    """A context: as `Home`, and the radio is installed and runs; `air` is what it hears."""

    settings = SETTINGS + '\n[[device]]\nkind = "radio"\n'

    def __init__(self, folder: Path, broker: Broker) -> None:
        super().__init__(folder, broker)
        self.pi.scratch = disk()
        self.air = Air(self.pi.radio_path, folder / "air.log")

    def __enter__(self) -> Self:
        super().__enter__()
        self.air.__enter__()
        started = time.monotonic()
        self.pi.put("/opt/pi/install_radio.sh", (HERE / "air/install.sh").read_bytes())
        self.pi.put("/var/lib/anbu/devices.toml", DEVICES.encode(), mode=0o600)
        self.pi.must("chown anbu: /var/lib/anbu/devices.toml")
        self.pi.must("bash /opt/pi/install_radio.sh /dev/vdc", timeout_s=600)
        log.info("radio installed in %.0f s", time.monotonic() - started)
        self.pi.must(f"systemctl start {RADIO}")
        return self

    def wait_for(self, what: str, since: str = "-1h", patience_s: float = 120.0) -> None:
        """Wait until the radio has said something in its log, after the time `since`."""
        found = f"journalctl --no-pager -o cat -u {RADIO} --since '{since}' | grep -qF '{what}'"
        wait_until(lambda: self.pi.run(found).code == 0, patience_s, f"the radio says: {what}")

    def now(self) -> str:
        """Return the guest's time, for `wait_for`."""
        return self.pi.must("date '+%F %T.%6N'").strip()

    def pair(self, options: str) -> None:
        """Have an installer begin `anbu radio pair` in a terminal, and wait until it is open."""
        self.pi.must(f"rm -f {KEYS} {SCREEN}; mkfifo {KEYS}")
        whole = f"{ANBU} pair {options} <>{KEYS} >{SCREEN} 2>&1; echo exit $? >>{SCREEN}"
        self.pi.must(f"systemd-run --quiet --collect sh -c '{whole}'")
        self.pi.until(f"test -s {SCREEN}")

    def type(self, keys: str) -> None:
        """Type a line in the installer's terminal."""
        self.pi.must(f"timeout 10 sh -c 'echo {keys} >{KEYS}'")

    def on_screen(self, text: str) -> None:
        """Wait until the installer's terminal shows something."""
        self.pi.until(f"grep -qF '{text}' {SCREEN}")

    def paired(self) -> bool:
        """Wait until the installer's command has ended, and return whether it has paired."""
        self.pi.until(f"grep -q ^exit {SCREEN}")
        return "exit 0" in self.pi.must(f"cat {SCREEN}")

    def bonds(self) -> dict[str, dict[str, Any]]:
        """Return what `anbu radio bonds` lists, by name."""
        rows = json.loads(self.pi.must(f"{ANBU} bonds --json list"))
        return {row["name"]: row for row in rows}

    def in_range(self, device: str) -> bool:
        """Return whether the hub has decided that a device came into range; press first."""
        found = self.pi.run("zcat -f /var/lib/anbu/blackbox/*").out
        return re.search(rf'"RangeChanged"[^}}]*?"{device}","near":true', found) is not None

    def heard(self) -> list[float]:
        """Return the pulses that the hub has decided on, as its black box has them on disk.

        The box writes at once only with a call: press first.
        """
        found = self.pi.run("zcat -f /var/lib/anbu/blackbox/*").out
        return [float(bpm) for bpm in re.findall(r'"HeartRateMeasured"[^}]*?"bpm":([\d.]+)', found)]

    def __exit__(self, *_: object) -> None:
        self.air.__exit__()
        super().__exit__()
