"""Simulated pins for every test of a driver."""

from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.virtual.driver import use_virtual_pins


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Use virtual pins for all devices that the test builds."""
    before = Device.pin_factory
    use_virtual_pins()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before
