"""How a contact may be wired, and how it reports a line that it cannot use."""

import asyncio
import sys
from types import ModuleType
from typing import Any

import msgspec
import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.contact import Driver
from drivers.gpio_line import LineError
from hub.core.model.rules import Role
from tests.drivers.fakes import FakePort, running

HELP = Driver(name="help", pin=17, role=Role.HELP_BUTTON)


@pytest.mark.parametrize(
    ("pull", "active_low", "high_is_closed"),
    [
        ("up", None, False),
        ("up", True, False),
        ("up", False, True),  # a normally closed contact
        ("down", None, True),
        ("down", True, False),
        ("none", None, False),
        ("none", False, True),
    ],
)
def test_the_wiring_says_which_level_is_closed(
    pins: MockFactory,
    pull: str,
    active_low: bool | None,  # noqa: FBT001 - pytest
    high_is_closed: bool,  # noqa: FBT001 - pytest
) -> None:
    async def story() -> None:
        port = FakePort()
        config = {"name": "x", "pin": 4, "role": "pull_cord", "pull": pull}
        async with running(msgspec.convert(config | {"active_low": active_low}, Driver), port):
            for drive in (pins.pin(4).drive_low, pins.pin(4).drive_high) * 2:
                drive()
        assert port.closed()[-4:] == [not high_is_closed, high_is_closed] * 2

    asyncio.run(story())


@pytest.mark.parametrize(("pull", "cut_is_high"), [("up", True), ("down", False), ("none", True)])
def test_a_cut_wire_of_a_normally_closed_contact_is_a_press(
    pins: MockFactory,
    pull: str,
    cut_is_high: bool,  # noqa: FBT001 - pytest
) -> None:
    async def story() -> None:
        port = FakePort()
        config = {"name": "x", "pin": 4, "role": "help_button", "pull": pull}
        driver = msgspec.convert(config | {"wiring": "normally_closed"}, Driver)
        assert driver.normally_closed
        async with running(driver, port):
            pin = pins.pin(4)
            rest, cut = pin.drive_low, pin.drive_high
            for drive in (rest, cut) if cut_is_high else (cut, rest):
                drive()
        assert port.closed()[-2:] == [False, True]

    asyncio.run(story())


def test_wiring_and_level_are_one_question() -> None:
    config = {"name": "x", "pin": 4, "role": "help_button", "active_low": False}
    with pytest.raises(msgspec.ValidationError, match="leave one of them out"):
        msgspec.convert(config | {"wiring": "normally_closed"}, Driver)


def test_a_taken_pin_is_refused_by_name_and_freed_at_the_end(pins: MockFactory) -> None:
    async def story() -> None:
        cord = Driver(name="cord", pin=17, role=Role.PULL_CORD)
        async with running(HELP, FakePort()):
            with pytest.raises(LineError, match="contact cord: GPIO 17 cannot be claimed"):
                await cord.run(FakePort())
        async with running(cord, FakePort()):
            assert pins.pin(17).state

    asyncio.run(story())


def test_an_error_of_lgpio_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class GpioBusyError(Exception):
        pass

    class Busy(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
        def pin(self, *_: object, **__: object) -> None:
            message = "GPIO busy"
            raise GpioBusyError(message)

    lgpio: Any = ModuleType("lgpio")
    lgpio.error = GpioBusyError
    monkeypatch.setitem(sys.modules, "lgpio", lgpio)
    monkeypatch.setattr(Device, "pin_factory", Busy())

    async def story() -> None:
        with pytest.raises(LineError, match="GPIO 17 cannot be claimed: GPIO busy"):
            await HELP.run(FakePort())

    asyncio.run(story())


@pytest.mark.parametrize(
    "wrong",
    [{"pin": 99}, {"pin": -1}, {"name": ""}, {"role": "doorbell"}, {"pull": "left"}, {"x": 1}],
)
def test_a_wrong_config_is_refused(wrong: dict[str, object]) -> None:
    config = {"kind": "contact", "name": "help", "pin": 17, "role": "help_button"}
    assert msgspec.convert(config, Driver) == HELP
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(config | wrong, Driver)
