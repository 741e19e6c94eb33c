"""Furnishing a virtual house: the devices of the config on simulated pins, and a finger."""

from pathlib import Path

from drivers import house
from hub.config import Config
from hub.core.driver import Driver
from hub.texts import messages

LAMPS = ("red", "green", "amber", "buzzer")


def furnish(config: Config) -> tuple[Driver, ...]:
    """Give the house's drivers and the virtual house itself; real pins are never touched."""
    house.use_virtual_pins()
    pins = {d.name: getattr(d, "pin", None) for d in config.device}
    lamps = {lamp: getattr(d, lamp, None) for d in config.device for lamp in LAMPS}
    finger = house.Driver(
        socket=str(Path(config.run_dir) / "house.sock"),
        contacts=_fitted(pins),
        lamps=_fitted(lamps),
        phrases=messages("hub", config.language)["say"],
    )
    return (*config.device, finger)


def _fitted(pins: dict[str, int | None]) -> dict[str, int]:
    return {name: pin for name, pin in pins.items() if pin is not None}
