"""A private bus with the fake that knows agents and bonds."""

from collections.abc import Iterator

import pytest

from drivers.bluetooth.pairing import window
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        monkeypatch.setattr(window, "PAUSE_S", 0.05)
        yield bus


@pytest.fixture
def bluez(bus: PrivateBus) -> Iterator[FakeBlueZ]:
    with FakeBlueZ(bus, "tests.drivers.bluetooth.pairing.agent_bluez") as bluez:
        yield bluez
