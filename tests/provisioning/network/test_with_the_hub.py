"""A hub, its provisioning process and a fake NetworkManager: a call goes before set-up."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.virtual.cli import ask
from tests.broker import Broker, certs, free_port, wait_until
from tests.hub.rig import CONFIG, HUB, HubProcess, StubCenter
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM

pytestmark = pytest.mark.broker
RULES = "\n[rules]\noffline_s = 0.2\nhold_s = 0.2\npairing_hold_s = 0.6\n"
DEVICE = """
[[device]]
kind = "provision"
socket = "{folder}/provision.sock"
"""
AIR = {"ssid": HOME, "psk": PASSWORD}


class Home:
    """A registered hub whose centre is not there yet, and the process that knows its network."""

    def __init__(self, folder: Path, port: int) -> None:
        self.hub = HubProcess(folder, port)
        text = CONFIG.replace("[rules.care]", f"{RULES}\n[rules.care]") + DEVICE
        self.hub.config.write_text(
            text.format(folder=folder, port=port, hub=HUB, certs=certs(), telemetry_s=300)
        )
        settings = folder / "provision.toml"
        settings.write_text(
            f'socket = "{folder}/provision.sock"\nstate_dir = "{folder}/state"\n'
            f'run_dir = "{folder}"\ncounty = "{folder}/county.toml"\nform_port = 0\n'
        )
        self.status = folder / "status.json"
        words = [sys.executable, "-m", "hub", "provision", "--config", str(settings), "run"]
        self._log = (folder / "provision.log").open("wb")
        self.process = subprocess.Popen(words, stdout=self._log, stderr=self._log)
        self.hub.start()

    def way(self) -> str:
        """How the network is reached, as a terminal shows it."""
        try:
            return str(json.loads(self.status.read_text()).get("way"))
        except (OSError, ValueError):
            return ""

    def said(self) -> str:
        return " ".join(str(one) for one in ask(self.hub.socket, {"do": "lamps"}).get("said", []))

    def end(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0
        self._log.close()
        self.hub.kill()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def home(nm: FakeNM, tmp_path: Path, port: int) -> Iterator[Home]:
    nm.air(AIR)
    nm.do("save", network=AIR | {"ssid": HOME.hex()})
    home = Home(tmp_path, port)
    try:
        yield home
    finally:
        home.end()


def test_a_call_takes_the_wifi_back_from_the_hotspot_and_goes_out_by_it(
    nm: FakeNM, home: Home, port: int
) -> None:
    wait_until(lambda: home.way() == "wifi", "the saved Wi-Fi is joined", 30)
    wait_until(lambda: home.hub.signal() == "offline", f"no link; {home.hub.log()}", 30)
    home.hub.press(ms=900, what="cancel")
    wait_until(lambda: home.way() == "hotspot", f"the hotspot is open: {home.said()}", 30)
    password = nm.state()["password"]
    wait_until(lambda: password in home.said(), "its password is said")
    nm.do("set", slow=True)  # NetworkManager would be long in finding the Wi-Fi by itself
    home.hub.press()
    wait_until(lambda: nm.state()["joined"] == HOME.hex(), "the Wi-Fi is joined again", 30)
    assert nm.state()["hotspot"] == ""
    with Broker(port=port) as broker, StubCenter(broker) as center:
        wait_until(center.raised, f"the call is at the centre; {home.hub.log()}", 60)
        wait_until(lambda: home.hub.signal() == "received", "the resident is told so", 30)
