"""Furnishing a virtual house: the devices of the config on simulated pins, and its driver."""

from pathlib import Path

from msgspec.structs import replace

from drivers import supply
from drivers.bluetooth.devices import FILE
from drivers.virtual import driver
from drivers.virtual.sensors import Fitting
from drivers.voicebox import driver as voicebox
from hub.core.model.driver import Driver
from hub.core.model.rules import Sense

LAMPS = ("red", "green", "amber", "buzzer")


def furnish(
    configured: tuple[Driver, ...], run_dir: str, phrases: dict[str, str], state_dir: str
) -> tuple[Driver, ...]:
    """Return the configured drivers and the virtual house's own; real pins are never used.

    `state_dir` has the list of wireless devices.
    """
    driver.use_virtual_pins()
    devices = tuple(_charged(d, Path(run_dir)) for d in configured)
    sensors = {d.name: fitting for d in devices if (fitting := _fitting(d)) is not None}
    pins = {d.name: getattr(d, "pin", None) for d in devices if d.name not in sensors}
    closed = {d.name: pins[d.name] for d in devices if getattr(d, "normally_closed", False)}
    driver.furnish(sensors, _fitted(closed))
    lamps = {lamp: pin for d in devices for lamp in LAMPS if (pin := getattr(d, lamp, None))}
    finger = driver.Driver(
        socket=str(Path(run_dir) / "house.sock"),
        contacts=_fitted(pins),
        lamps=lamps,
        sensors=sensors,
        phrases=phrases,
        wireless=str(Path(state_dir) / FILE),
        voice=any(isinstance(d, voicebox.Driver) for d in configured),
    )
    return (*devices, finger)


def _charged(device: Driver, folder: Path) -> Driver:
    """Return the device; a battery is read from a file of the virtual house, not the machine's."""
    if not isinstance(device, supply.Driver) or not device.battery:
        return device
    return replace(device, battery=str(folder / f"{device.name}.battery"))


def _fitting(device: Driver) -> Fitting | None:
    sense = getattr(device, "sense", None)
    if not isinstance(sense, Sense):
        return None
    known = {name: getattr(device, name, "") for name in ("place", "battery")}
    return Fitting(sense, pin=getattr(device, "pin", None), **known)


def _fitted(pins: dict[str, int | None]) -> dict[str, int]:
    return {name: pin for name, pin in pins.items() if pin is not None}
