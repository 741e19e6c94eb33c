"""The hub's power: mains that come and go, a battery in a file or on a line."""

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest
from gpiozero.pins.mock import MockFactory

from drivers import supply
from drivers.gpio_line import LineError
from drivers.supply import Driver, SupplyError, charge
from hub.core.model.events import BatteryMeasured, MainsChanged
from hub.core.model.rules import Sense
from tests.drivers.fakes import FakePort, running


def present(port: FakePort) -> list[bool]:
    return [event.present for event in port.emitted if isinstance(event, MainsChanged)]


def write(file: Path, text: str) -> None:
    """Write as a kernel driver does: no reader ever sees half of the value."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="ascii")
    new.replace(file)


def pcts(port: FakePort) -> list[float]:
    return [event.battery_pct for event in port.emitted if isinstance(event, BatteryMeasured)]


def test_mains_that_go_and_come_are_told_at_once(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        pins.pin(26).press()
        async with running(Driver(name="power", pin=26), port):
            assert present(port) == [True]
            pins.pin(26).release()
            assert present(port) == [True, False]
            pins.pin(26).press()
            assert present(port) == [True, False, True]

    asyncio.run(story())


def test_a_line_that_is_high_while_the_mains_are_there(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        async with running(Driver(name="power", pin=26, pull="down"), port):
            assert present(port) == [False]
            pins.pin(26).drive_high()
            assert present(port) == [False, True]

    asyncio.run(story())


def test_a_line_that_says_low_is_a_low_battery(pins: MockFactory) -> None:
    async def story() -> None:
        port = FakePort()
        pins.pin(20).press()
        async with running(Driver(name="power", low_pin=20), port):
            pins.pin(20).release()
            assert pcts(port) == [10.0, 100.0]

    asyncio.run(story())


def test_a_battery_is_told_at_start_at_each_percent_and_every_hour(tmp_path: Path) -> None:
    file = tmp_path / "capacity"

    async def story() -> None:
        write(file, "80\n")
        port = FakePort()
        loop, seen = asyncio.get_running_loop(), asyncio.Queue[float]()

        def looked(pattern: str) -> float:
            pct = charge(pattern)
            loop.call_soon_threadsafe(seen.put_nowait, pct)
            return pct

        with patch.object(supply, "LOOK_S", 0.01), patch.object(supply, "charge", looked):
            async with running(Driver(name="power", battery=str(file)), port):
                await port.until(lambda: pcts(port) == [80.0])
                write(file, "79.5")
                for _ in range(2):  # the first time it may have been seen and not yet judged
                    while await seen.get() != 79.5:
                        pass
                write(file, "79")
                await port.until(lambda: pcts(port) == [80.0, 79.0])
                assert port.readies == 1
                with patch.object(supply, "ALIVE_S", 0.05):
                    await port.until(lambda: pcts(port)[-2:] == [79.0, 79.0])

    asyncio.run(story())


def test_a_battery_is_found_wherever_linux_shows_it(tmp_path: Path) -> None:
    for name, text in (("BAT1", "120"), ("BAT0", "42\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "capacity").write_text(text, encoding="ascii")
    assert charge(f"{tmp_path}/*/capacity") == 42.0
    assert charge(f"{tmp_path}/BAT1/capacity") == 100.0


@pytest.mark.parametrize("text", [None, "", "full"])
def test_a_battery_that_cannot_be_read_is_a_failure_with_its_name(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "capacity"
    if text is not None:
        file.write_text(text, encoding="ascii")

    async def story() -> None:
        with pytest.raises(SupplyError, match=f"no battery can be read at {file}"):
            await Driver(name="power", battery=str(file)).run(FakePort())

    asyncio.run(story())


def test_what_ends_one_part_ends_the_others_and_is_raised_as_it_is(
    pins: MockFactory, tmp_path: Path
) -> None:
    async def story() -> None:
        whole = Driver(name="power", pin=26, low_pin=20, battery=f"{tmp_path}/none")
        with pytest.raises(SupplyError):
            await whole.run(FakePort())
        async with running(Driver(name="power", pin=26), FakePort()):
            with pytest.raises(LineError, match="supply other: GPIO 26 cannot be claimed"):
                await Driver(name="other", pin=26, low_pin=20).run(FakePort())
        async with running(Driver(name="power", low_pin=20), FakePort()):
            assert pins.pin(20).state

    asyncio.run(story())


def test_a_supply_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing_known"):
        Driver(name="power")


def test_it_says_what_it_senses() -> None:
    assert Driver(name="power", pin=4).sense is Sense.MAINS
    assert Driver(name="power", battery="x").sense is Sense.BATTERY
