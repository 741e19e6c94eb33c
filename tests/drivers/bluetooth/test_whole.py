"""A pendant's press from the air to the centre: one call each, whatever dies on the way."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bluetooth.owed_file import FILE
from hub.contract.scaip import Kind
from tests.broker import Broker, wait_until
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus
from tests.drivers.bluetooth.test_process import ADDRESS, COUNTERS, Home
from tests.hub.rig import HUB, HubProcess, StubCenter

RADIO = '\n[[device]]\nkind = "radio"\nsocket = "{folder}/radio.sock"\n'


class House:
    """A hub, a centre, a radio and a pendant."""

    def __init__(self, hub: HubProcess, center: StubCenter, home: Home) -> None:
        self.hub, self.center, self.home = hub, center, home

    def press(self) -> int:
        counter = next(COUNTERS)
        self.home.press(counter)
        return counter

    def calls(self) -> set[str]:
        raised = self.center.raised(HUB)
        return {event.id for event in raised if event.data.kind is Kind.PENDANT}

    def until_heard(self) -> None:
        """Press, and again only if nothing came of it: the radio was not there yet."""
        before = self.calls()
        for _ in range(10):
            self.press()
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                if self.calls() != before:
                    return
                time.sleep(0.02)
        pytest.fail(self.hub.log() + self.home.log())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "hub"
    with (
        Broker() as broker,
        PrivateBus() as bus,
        FakeBlueZ(bus) as bluez,
        StubCenter(broker) as center,
    ):
        hub = HubProcess(folder, broker.port, certs_dir=broker.certs)
        text = hub.config.read_text(encoding="utf-8")
        text = text.replace("[rules.care]", "[rules]\nrepeat_s = 0.01\n[rules.care]")
        hub.config.write_text(text + RADIO.format(folder=folder), encoding="utf-8")
        (folder / "state").mkdir()
        home = Home(folder / "state", bluez, folder / "radio.sock")
        with hub:
            try:
                yield House(hub, center, home)
            finally:
                home.end()


def test_a_press_that_a_hub_had_no_time_to_take_is_one_call_of_the_next_hub(house: House) -> None:
    house.until_heard()
    before = house.calls()
    os.kill(house.hub.process.pid, signal.SIGSTOP)
    counter = house.press()  # the radio tells it, and nobody reads
    house.hub.kill()
    house.hub.start()
    wait_until(lambda: len(house.calls()) > len(before), "the next hub has the call", 30)
    once = house.calls()
    assert len(once) == len(before) + 1
    house.home.bluez.do("forget", address=ADDRESS)
    house.home.press(counter)  # BlueZ brings it once more
    house.home.process.send_signal(signal.SIGTERM)  # and so does a radio that begins anew
    house.home.process.wait(10)
    house.home.process = house.home.start()
    house.until_heard()  # the next press is heard, and what came before it was no call
    assert len(house.calls()) == len(once) + 1


def test_a_press_outlives_a_radio_that_dies_while_the_hub_is_away(house: House) -> None:
    house.until_heard()
    before = house.calls()
    house.hub.kill()
    counter = house.press()
    owed = house.home.folder / FILE
    wait_until(lambda: owed.exists() and f'"counter":{counter},' in owed.read_text(), "kept", 10)
    house.home.end()  # SIGKILL, as in a power cut
    house.home.bluez.do("forget", address=ADDRESS)  # and BlueZ holds nothing of it
    house.home.process = house.home.start()
    house.hub.start()
    wait_until(lambda: len(house.calls()) > len(before), "the next hub has the call", 30)
    wait_until(lambda: not owed.exists(), "and nothing is owed", 10)
    once = house.calls()
    house.home.end()
    house.home.process = house.home.start()
    house.until_heard()  # the next press is heard, and what came before it was no call
    assert len(once) == len(before) + 1
    assert len(house.calls()) == len(once) + 1
