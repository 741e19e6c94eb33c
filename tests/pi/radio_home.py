"""A home with a radio: its environment and unit on the Pi; its adapter is Bumble's controller."""

import base64
import gzip
import itertools
import json
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from drivers.bluetooth.pairing.window import MOST_S
from tests.broker import Broker
from tests.pi import image, product
from tests.pi.air import Air
from tests.pi.centre import Centre
from tests.pi.guestlink import GuestError, wait_until
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
TRACE = "/run/air.snoop"
FLAGS, UUID = bytes.fromhex("020106"), bytes.fromhex("d2fc")
ENCRYPTED = 0x45
COUNTERS = itertools.count(1_780_672_260)  # of presses that a test does not count itself
SETTLES_S = 3.0  # emulated cores: a press was at the centre within 1.4 s beside busy neighbours
BURST, GAP_MS = 6, 60  # what a pendant sends for one press
PATIENCE_S = 300.0  # a bound for what takes seconds on an idle machine
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


def frame(counter: int, packet_id: int) -> str:
    """Return the advert of one press of the pendant, encrypted, as hex."""
    body = bytes([0x00, packet_id, 0x01, 99, 0x3A, 0x01])
    count = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(PENDANT.replace(":", "")) + UUID + bytes([ENCRYPTED]) + count
    sealed = AESCCM(bytes.fromhex(KEY), tag_length=4).encrypt(nonce, body, None)
    data = UUID + bytes([ENCRYPTED]) + sealed[:-4] + count + sealed[-4:]
    return (FLAGS + bytes([len(data) + 1, 0x16]) + data).hex()


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
        self.pi.must(f"systemd-run --quiet --unit air-trace btmon -T -w {TRACE}")
        self.pi.must(f"systemctl start {RADIO}")
        return self

    def wait_for(self, what: str, since: str = "-1h", patience_s: float = PATIENCE_S) -> None:
        """Wait until the radio has said something in its log, after the time `since`."""
        found = f"journalctl --no-pager -o cat -u {RADIO} --since '{since}' | grep -qF '{what}'"
        wait_until(lambda: self.pi.run(found).code == 0, patience_s, f"the radio says: {what}")

    def now(self) -> str:
        """Return the guest's time, for `wait_for`."""
        return self.pi.must("date '+%F %T.%6N'").strip()

    def press(self, counter: int, packet_id: int) -> None:
        """Have the pendant send one press: some adverts with the same content."""
        self.air.do(
            "advert", address=PENDANT, hex=frame(counter, packet_id), times=BURST, gap_ms=GAP_MS
        )

    def press_until_heard(self, centre: Centre) -> int:
        """Press until a press is at the centre, each time anew; return how often it took.

        A lone adapter is deaf while it connects, so a press amid a connection may be lost.
        """
        before, count = len(centre.stored()), 0

        def pressed() -> bool:
            nonlocal count
            count += 1
            counter = next(COUNTERS)
            self.press(counter, packet_id=counter % 256)
            time.sleep(SETTLES_S)
            return len(centre.stored()) > before

        wait_until(pressed, PATIENCE_S, "a press is at the centre", every_s=2)
        return count

    def pair(self, options: str) -> None:
        """Have an installer begin `anbu radio pair` in a terminal, and wait until it is open.

        The window is as long as it may be: these cores are slow, and it ends with the pairing.
        """
        self.pi.must(f"rm -f {KEYS} {SCREEN}; mkfifo {KEYS}")
        command = f"{ANBU} pair --s {MOST_S:.0f} {options}"
        whole = f"{command} <>{KEYS} >{SCREEN} 2>&1; echo exit $? >>{SCREEN}"
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
        self.pi.until(f"grep -q ^exit {SCREEN}", PATIENCE_S)
        return "exit 0" in self.pi.must(f"cat {SCREEN}")

    def bonds(self) -> dict[str, dict[str, Any]]:
        """Return what `anbu radio bonds` lists, by name."""
        rows = json.loads(self.pi.must(f"{ANBU} bonds --json list"))
        return {row["name"]: row for row in rows}

    def in_range(self, device: str) -> bool:
        """Return whether the hub has decided that a device came into range; press first."""
        found = self.pi.run("zcat -f /var/lib/anbu/blackbox/*").out
        return re.search(rf'"RangeChanged"[^}}]*?"{device}","near":true', found) is not None

    def hears(self, centre: Centre, *pulses: float) -> None:
        """Wait until these are the last pulses that the hub has decided on; press meanwhile.

        Its black box writes at once only with a call, and a press may overtake a pulse: each comes
        over a connection to D-Bus of its own.
        """

        def heard() -> bool:
            self.press_until_heard(centre)
            found = self.pi.run("zcat -f /var/lib/anbu/blackbox/*").out
            bpm = re.findall(r'"HeartRateMeasured"[^}]*?"bpm":([\d.]+)', found)
            return tuple(map(float, bpm[-len(pulses) :])) == pulses

        wait_until(heard, PATIENCE_S, f"the hub has the pulses {pulses}")

    def _keep(self) -> None:
        """Keep what the radio and BlueZ said, and all of HCI: `btmon -t -r air.snoop` shows it."""
        said = self.pi.run(f"journalctl --no-pager -o short-precise -u {RADIO} -u bluetooth").out
        (self.pi.folder / "radio.log").write_text(said)
        trace = self.pi.run(f"gzip -c {TRACE} | base64 -w0").out
        (self.pi.folder / "air.snoop").write_bytes(gzip.decompress(base64.b64decode(trace)))

    def __exit__(self, *_: object) -> None:
        with suppress(GuestError, OSError):
            self._keep()
        self.air.__exit__()
        super().__exit__()
