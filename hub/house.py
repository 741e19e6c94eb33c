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
    finger = house.Driver(
        socket=str(Path(config.run_dir) / "house.sock"),
        contacts={d.name: getattr(d, "pin") for d in config.device if hasattr(d, "pin")},  # noqa: B009 - mypy cannot know
        lamps={c: getattr(d, c) for d in config.device for c in LAMPS if hasattr(d, c)},
        phrases=messages("hub", config.language)["say"],
    )
    return (*config.device, finger)
