"""The units of systemd: each is confined, and what keeps a home listening is in them."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from drivers.bluetooth.pairing.control import path_of
from drivers.bluetooth.settings import RadioSettings
from drivers.radio import PATIENCE
from tests.layout import REPO

UNITS = REPO / "systemd"
EXPOSED_MOST = {  # of 10, as `systemd-analyze security` counts
    "anbu-hub": 1.6,  # GPIO lines, a network, and adjtimex, which says whether the clock is right
    "anbu-provision": 2.0,
    "anbu-radio": 2.0,
    "anbu-voice": 2.0,
    "anbu-center": 2.0,
}
ONCE = {"anbu-state": 2.2}  # root: it gives the kernel the key, and may write to the card's disk
HERE = sorted(name for name in EXPOSED_MOST if (UNITS / f"{name}.service").exists())
LOCKED_S = 60  # at most, where a card does not answer for its key
BACK_S, START_S = 5.0, 1.2  # the promise; what a radio takes to start here


def read(path: Path) -> RawConfigParser:
    """Read a unit; of a key that is there more than once, the last."""
    unit = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text(encoding="utf-8"))
    return unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize("name", [*HERE, *ONCE])
def test_a_unit_is_confined(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    unit = str(UNITS / f"{name}.service")
    told = subprocess.run([*command, unit], capture_output=True, text=True, check=True).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert found, told
    assert float(found[1]) <= (EXPOSED_MOST | ONCE)[name]


@pytest.mark.parametrize("name", HERE)
def test_a_process_is_started_again_for_ever(name: str) -> None:
    unit = read(UNITS / f"{name}.service")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_button_waits_for_the_encrypted_folders_but_not_long_and_not_for_their_success() -> (
    None
):
    hub, state = (read(UNITS / f"anbu-{name}.service") for name in ("hub", "state"))
    assert "anbu-state.service" in hub["Unit"]["After"].split()
    assert hub["Unit"]["Wants"] == "anbu-state.service"
    assert "Requires" not in hub["Unit"]
    assert int(state["Service"]["TimeoutStartSec"]) <= LOCKED_S


def test_a_radio_that_hangs_is_back_within_5_s() -> None:
    """It hangs right after a ping: the next one, the hub's patience, its next look, the start."""
    rest = re.fullmatch(r"(\d+)ms", read(UNITS / "anbu-radio.service")["Service"]["RestartSec"])
    assert rest
    noticed_s = PATIENCE.ping_s + PATIENCE.hang_s + PATIENCE.ping_s
    assert noticed_s + int(rest[1]) / 1000 + START_S <= BACK_S


def test_the_radio_has_neither_network_nor_the_hubs_key() -> None:
    service = read(UNITS / "anbu-radio.service")["Service"]
    assert service["PrivateNetwork"] == "yes"
    assert service["RestrictAddressFamilies"] == "AF_UNIX"
    assert service["TemporaryFileSystem"] == "/etc/anbu:ro"
    assert service["BindReadOnlyPaths"] == "-/etc/anbu/radio.toml"


def test_the_radio_may_be_killed_by_the_hub_and_reach_d_bus() -> None:
    hub, radio = (read(UNITS / f"anbu-{name}.service")["Service"] for name in ("hub", "radio"))
    assert radio["User"] == hub["User"]
    assert {"DynamicUser", "PrivateUsers"}.isdisjoint(radio)


def test_the_radio_can_open_its_own_socket_and_a_new_hub_does_not_take_it_away() -> None:
    service = read(UNITS / "anbu-radio.service")["Service"]
    ours = Path("/run") / service["RuntimeDirectory"]
    assert path_of(RadioSettings().socket).parent == ours
    assert read(UNITS / "anbu-hub.service")["Service"]["RuntimeDirectory"] != ours.name


def test_the_radio_writes_the_list_where_the_hub_reads_it() -> None:
    service = read(UNITS / "anbu-radio.service")["Service"]
    assert RadioSettings().state_dir == f"/var/lib/{service['StateDirectory']}"


def test_memory_ends_for_the_voice_before_the_radio_and_for_the_hub_last() -> None:
    names = ("hub", "radio", "voice")
    units = [read(UNITS / f"anbu-{name}.service")["Service"] for name in names]
    scores = [int(unit["OOMScoreAdjust"]) for unit in units]
    assert scores == sorted(scores)
    assert [int(unit["Nice"]) for unit in units] == sorted(int(unit["Nice"]) for unit in units)


def test_bluetoothd_is_started_again_and_leaves_batteries_to_the_radio() -> None:
    service = read(UNITS / "bluetooth.service.d/anbu.conf")["Service"]
    assert service["Restart"] == "always"
    assert "/bluetoothd -P battery " in service["ExecStart"]


def test_bluez_listens_passively_and_all_the_time() -> None:
    """By a file of our own: /etc/bluetooth/main.conf is another package's."""
    started = read(UNITS / "bluetooth.service.d/anbu.conf")["Service"]["ExecStart"]
    assert started.endswith(" -f /usr/lib/anbu/bluetooth-main.conf")
    settings = read(UNITS / "bluetooth-main.conf")
    assert settings["General"]["Experimental"] == "true"
    le = {key: int(value) for key, value in settings["LE"].items()}
    assert le["ScanIntervalAdvMonitor"] == le["ScanWindowAdvMonitor"]
    assert le["ScanIntervalDiscovery"] == le["ScanWindowDiscovery"]
    assert le["EnableAdvMonInterleaveScan"] == 0
