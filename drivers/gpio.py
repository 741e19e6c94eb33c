"""gpiozero, for drivers of lines: without what no hub uses, and never with other pins than lgpio's.

gpiozero imports entry points (with them email, csv, zipfile), colours, statistics and resources:
2 MB of a hub's 40, used by boards and coloured lamps that no home has. So stand-ins are there while
it is imported; who calls what was imported from one gets the real thing. It looks for its pins by
entry points, too, unless it is given them.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

UNUSED = (
    "colorzero",
    "importlib.metadata",
    "importlib.resources",
    "pprint",
    "statistics",
)
PINS, LGPIO = "GPIOZERO_PIN_FACTORY", "lgpio"


def _stand_in(name: str) -> ModuleType:
    """Return a module each of whose names is a function that calls that of the real module."""
    module = ModuleType(name)

    def look_up(attribute: str) -> Callable[..., object]:
        if attribute.startswith("__"):
            raise AttributeError(attribute)

        def call(*args: object, **named: object) -> object:
            real: Callable[..., object] = getattr(import_module(name), attribute)
            return real(*args, **named)

        return call

    module.__dict__["__getattr__"] = look_up
    return module


@contextmanager
def lean() -> Iterator[None]:
    """Let stand-ins be imported instead of what is unused, where it was not imported yet."""
    stood_in = [name for name in UNUSED if name not in sys.modules]
    for name in stood_in:
        sys.modules[name] = _stand_in(name)
    package = vars(sys.modules["importlib"])
    if "importlib.resources" in stood_in:
        package["resources"] = sys.modules["importlib.resources"]
    try:
        yield
    finally:
        for name in stood_in:
            del sys.modules[name]
        if "importlib.resources" in stood_in:
            package.pop("resources", None)


with lean():
    from gpiozero import Device, DigitalInputDevice, DigitalOutputDevice, GPIOZeroError


def ensure_pins() -> None:
    """Take lgpio's pins where the environment names them, as the unit's does; else gpiozero's own.

    Raises ImportError, OSError and lgpio's own error.
    """
    if Device.pin_factory is None and os.environ.get(PINS) == LGPIO:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - a virtual house has no lgpio

        Device.pin_factory = LGPIOFactory()


def claim_errors() -> tuple[type[Exception], ...]:
    """Return what a claim may raise; lgpio's own error exists only where lgpio is installed."""
    lgpio = sys.modules.get(LGPIO)
    return (GPIOZeroError, OSError, ImportError, *([lgpio.error] if lgpio else []))


__all__ = [
    "Device",
    "DigitalInputDevice",
    "DigitalOutputDevice",
    "claim_errors",
    "ensure_pins",
    "lean",
]
