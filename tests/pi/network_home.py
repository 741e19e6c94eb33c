"""A Pi of Debian 13 with Wi-Fi: NetworkManager, its supplicant and kernel are real, the air is not.

The provisioning process runs there under its unit, with the package's files for polkit,
NetworkManager and dnsmasq. A stand-in for the hub holds its socket (`wifi/stand_in.py`): what is
told can be read, and the hotspot can be ordered. An access point and a phone are two more radios of
`mac80211_hwsim` (`wifi/air.sh`).
"""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from tests.pi import image, product
from tests.pi.guestlink import GuestError, wait_until
from tests.pi.machine import Machine
from tests.pi.stages import HERE, download, key_of, run, stage

log = logging.getLogger("anbu-pi")

UNIT, STAND_IN = "anbu-provision.service", "anbu-stand-in.service"
LOCK = product.REPO / "requirements/hub.txt"
NOT_NEEDED = ("lgpio", "systemd-python")  # they have no wheels, and the process imports neither
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
FORM = "http://10.42.0.1"
PATIENCE_S = 400.0  # emulated cores beside busy neighbours: a hotspot took 40 s, 2 s on a Pi
NO_BROKER = 9  # nobody listens there
DISK_SIZE = "160M"


def libraries() -> Path:
    """The locked libraries for Debian 13's Python, compiled; minutes at first, then at once."""
    rootfs = image.rootfs_of(image.TRIXIE)

    def build(folder: Path) -> None:
        blocks = re.split(r"\n(?=\S)", LOCK.read_text("utf-8"))
        (folder / "lock").write_text("\n".join(b for b in blocks if not b.startswith(NOT_NEEDED)))
        fits = ("--python-version", "3.13", "--only-binary", ":all:", "--no-deps")
        platforms = [word for name in PLATFORMS for word in ("--platform", name)]
        pip = (product.builder(), "-m", "pip", "--disable-pip-version-check", "install")
        exact = ("--require-hashes", "-r", folder / "lock")
        download(*pip, "--target", folder / "site", *fits, *platforms, *exact)
        compiled(rootfs, folder / "site")

    return stage("network", key_of(rootfs.parent.name, LOCK, Path(__file__)), build) / "site"


def access_point() -> Path:
    """Debian's hostapd for the point in the air: the image has it as little as a Pi does."""
    rootfs = image.rootfs_of(image.TRIXIE)

    def build(folder: Path) -> None:
        copy = folder / "rootfs"
        run("cp", "-al", rootfs, copy)  # links: apt only adds files and replaces whole ones
        apt = "apt-get -q -o APT::Sandbox::User=root"
        words = f"cd /opt && {apt} update && {apt} download hostapd"
        download("chroot", copy, "sh", "-c", words)
        for deb in (copy / "opt").glob("hostapd_*.deb"):
            shutil.copy(deb, folder)
        shutil.rmtree(copy)

    return stage("hostapd", key_of(rootfs.parent.name, Path(__file__)), build)


def compiled(rootfs: Path, folder: Path) -> None:
    """Compile a folder with the guest's Python, here: its own cores would take minutes."""
    place = rootfs / "opt/compiled"
    shutil.copytree(folder, place)
    compileall = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    run("chroot", rootfs, "python3", *compileall, "/opt/compiled")
    shutil.rmtree(folder)
    shutil.move(place, folder)


def cargo(folder: Path) -> Path:
    """Make the disk with all that is installed."""
    root, repo = folder / "root", product.REPO
    root.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", "package")
    for name in ("hub", "drivers", "provisioning"):
        shutil.copytree(repo / name, root / "code" / name, ignore=left_out)
    compiled(image.rootfs_of(image.TRIXIE), root / "code")
    shutil.copytree(libraries(), root / "site")
    shutil.copytree(access_point(), root / "hostapd")
    shutil.copytree(repo / "provisioning/package", root / "package")
    shutil.copytree(repo / "systemd", root / "systemd")
    shutil.copytree(HERE / "wifi", root / "wifi")
    disk = folder / "cargo.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", disk, DISK_SIZE)
    shutil.rmtree(root)
    return disk


class WirelessPi(Machine):
    """A board without a cable."""

    cable = False


class NetworkHome:
    """A context: within it the Pi is on, without a cable, and nothing was ever set up there."""

    def __init__(self, folder: Path) -> None:
        self.pi = WirelessPi(image.build(image.TRIXIE), folder, NO_BROKER, cargo(folder))

    def __enter__(self) -> Self:
        self.pi.boot()
        install = (HERE / "wifi/install.sh").read_bytes()
        self.pi.put("/opt/install.sh", install)
        self.pi.must("bash /opt/install.sh", timeout_s=600)
        return self

    def __exit__(self, *_: object) -> None:
        self.pi.shut_down()

    def start(self) -> None:
        """After each start of the machine: the air, and the process."""
        self.pi.must("bash /opt/wifi/air.sh set_up", timeout_s=300)
        self.pi.must(f"systemctl start {STAND_IN}")
        self.pi.until("test -S /run/anbu/provision.sock", PATIENCE_S)
        self.pi.must(f"systemctl start {UNIT}")

    def point(self, name: str, kind: str, secret: str = "") -> None:
        """Have one access point in the air."""
        self.pi.must(f"bash /opt/wifi/air.sh point '{name}' {kind} '{secret}'", timeout_s=300)

    def facts(self) -> list[dict[str, Any]]:
        """All that the hub was told about the network."""
        lines = self.pi.run("cat /run/anbu/facts").out.splitlines()
        told = [json.loads(line) for line in lines]
        return [one["data"] for one in told if one["type"] == "network"]

    def network(self) -> dict[str, Any]:
        """How the network is reached now."""
        return next(reversed(self.facts()), {})

    def order(self, s: float) -> None:
        """Order the hotspot for so long, as the hub does."""
        self.pi.put("/run/anbu/fresh", f"{s}".encode(), 0o666)
        self.pi.must("mv /run/anbu/fresh /run/anbu/order")

    def wait_for(self, **wanted: object) -> dict[str, Any]:
        """Wait until the network is told so; what the machine says, where it is not."""

        def told() -> bool:
            return wanted.items() <= self.network().items()

        try:
            wait_until(told, PATIENCE_S, f"{wanted}", every_s=1.0)
        except GuestError as error:
            message = f"{error}: {self.facts()[-3:]}\n{self.log()}"
            raise GuestError(message) from None
        return self.network()

    def open_form(self) -> dict[str, Any]:
        """Wait until the hotspot is open, and join it with the phone."""
        found = self.wait_for(way="hotspot")
        self.pi.until(f"curl -sf -o /dev/null {FORM}/form.css", PATIENCE_S)
        phone = f"bash /opt/wifi/air.sh phone {found['name']} {found['password']}"
        self.pi.must(phone, timeout_s=300)
        return found

    def phone(self, words: str) -> str:
        """What a command on the phone prints."""
        return self.pi.must(f"ip netns exec phone {words}", timeout_s=200)

    def send(self, path: str, **fields: str) -> str:
        """Send the form; return the page that follows."""
        return self.phone(f"curl -s -L --data '{urlencode(fields)}' {FORM}/{path}")

    def list_with(self, name: str) -> str:
        """The page, once a Wi-Fi is in its list."""
        page = ""

        def listed() -> bool:
            nonlocal page
            page = self.send("search", lang="ko")
            return f">{name}<" in page

        wait_until(listed, PATIENCE_S, f"{name} is listed", every_s=3.0)
        return page

    def profiles(self) -> list[str]:
        """The Wi-Fi profiles that NetworkManager has, by their ids."""
        shown = self.pi.must("nmcli -t -f TYPE,NAME connection show").splitlines()
        return sorted(line.partition(":")[2] for line in shown if "wireless" in line)

    def log(self) -> str:
        """The last words of all that matters here."""
        units = f"-u {UNIT} -u {STAND_IN} -u NetworkManager -u wpa_supplicant"
        return self.pi.run(f"journalctl -b --no-pager -o short-monotonic {units} | tail -50").out
