"""Hub, radio and broker as processes: a pendant in the virtual house, to the centre."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bluetooth.devices import FILE
from drivers.virtual.cli import ask
from hub.contract.messages import COUNTER_RESTARTED
from tests.broker import Broker, wait_until
from tests.drivers.bluetooth.virtual_home import LIST
from tests.hub.rig import HubProcess, StubCenter
from tests.layout import REPO

NEVER = {"bleak", "bleak_retry_connector", "dbus_fast", "gpiozero"}
WHAT_IT_IMPORTS = """
import asyncio, sys
from pathlib import Path
from drivers.bluetooth import app
from drivers.bluetooth.settings import RadioSettings
async def made():
    app._in_a_virtual_house(RadioSettings(sys.argv[1] + "/radio.sock", sys.argv[1]))
asyncio.run(made())
print(" ".join(sys.modules))
"""


def test_the_radio_of_a_virtual_house_needs_no_bluetooth(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WHAT_IT_IMPORTS, str(tmp_path)]
    told = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert NEVER.isdisjoint(told.stdout.split())
    assert "drivers.bluetooth.virtual.air" in told.stdout


class Radio:
    """`anbu radio run --virtual`, started again as systemd and the demo do."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "radio.log"
        config = folder / "radio.toml"
        config.write_text('socket = "radio.sock"\nstate_dir = "state"\n', encoding="utf-8")
        self._command = [sys.executable, "-m", "hub", "radio", "--config", str(config), "run"]
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen([*self._command, "--virtual"], cwd=REPO, stderr=log)

    def again(self, sign: signal.Signals) -> None:
        """End it, and start it again."""
        os.kill(self.process.pid, sign)
        self.process.wait(10)
        self.process = self.start()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


class House:
    """The hub with its virtual house and the radio."""

    def __init__(self, hub: HubProcess, radio: Radio) -> None:
        self.hub, self.radio = hub, radio

    def heard(self) -> bool:
        """Whether a radio listens to the house."""
        return self.hub.armed() and bool(ask(self.hub.socket, {"do": "lamps"})["wireless"]["heard"])

    def pendant(self, how: str = "press") -> None:
        wait_until(self.heard, "the radio listens")
        answer = ask(self.hub.socket, {"do": "pendant", "what": "pendant", "how": how})
        assert answer["ok"], answer


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, broker: Broker) -> Iterator[House]:
    hub = HubProcess(tmp_path, broker.port)
    with hub.config.open("a", encoding="utf-8") as config:
        config.write(f'\n[[device]]\nkind = "radio"\nsocket = "{tmp_path}/radio.sock"\n')
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).write_text(LIST, encoding="utf-8")
    with hub:
        radio = Radio(tmp_path)
        try:
            yield House(hub, radio)
        finally:
            radio.end()


@pytest.mark.broker
def test_a_pendants_press_is_one_call_though_the_radio_is_killed(
    house: House, broker: Broker
) -> None:
    with StubCenter(broker) as center:

        def calls() -> list[str]:
            raised = center.raised(house.hub.hub)
            return [e.id for e in raised if e.data.device == "pendant"]

        house.pendant()
        wait_until(lambda: len(calls()) == 1, f"a call; {house.hub.log()}", 20)
        wait_until(lambda: house.hub.signal() == "received", "the lamp says so")
        house.radio.again(signal.SIGKILL)  # the new one is told the press again, as by BlueZ
        house.pendant("again")
        house.pendant("new_battery")
        house.pendant()
        wait_until(lambda: len(calls()) >= 2, "the press after a new battery is told", 20)
        about = [e.data.about for e in center.raised(house.hub.hub)]
        assert about == ["", COUNTER_RESTARTED]


@pytest.mark.broker
def test_a_new_hub_hears_the_pendant_by_the_radio_that_lived_on(
    house: House, broker: Broker
) -> None:
    with StubCenter(broker) as center:
        house.pendant()
        wait_until(lambda: len(center.raised(house.hub.hub)) == 1, "a call", 20)
        wait_until(lambda: house.hub.signal() == "received", "the lamp says so")
        house.hub.kill()
        house.hub.start()
        house.pendant()
        wait_until(lambda: len(center.raised(house.hub.hub)) >= 2, "the next press is told", 20)
        assert house.radio.process.poll() is None
        about = [e.data.about for e in center.raised(house.hub.hub)]
        assert about == ["", ""]  # its counter goes on: nobody has changed a battery
