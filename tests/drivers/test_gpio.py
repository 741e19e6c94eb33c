"""gpiozero without what no hub uses, and with lgpio's pins."""

import subprocess
import sys

from tests.layout import REPO

HEAVY = [
    "importlib.metadata",
    "importlib.resources",
    "email",
    "zipfile",
    "colorzero",
    "statistics",
    "pprint",
]
LOADED = f"print([name for name in {HEAVY} if name in sys.modules])"
FAKE_LGPIO = """
import os, sys
from unittest.mock import MagicMock
del sys.modules["pprint"]  # of the fake
os.environ["GPIOZERO_PIN_FACTORY"] = "lgpio"
fake = sys.modules["lgpio"] = MagicMock()
fake.error = type("error", (Exception,), {})
import drivers.gpio
import gpiozero.pins.local
gpiozero.pins.local.get_pi_revision = lambda: 0xC03111  # a Pi 4
fake.gpiochip_open.side_effect = None if sys.argv[1:] else fake.error("no chip")
"""


def said(code: str, *words: str) -> list[str]:
    """Return the lines that a fresh Python prints."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=REPO, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_the_drivers_of_lines_load_no_module_that_no_home_uses() -> None:
    drivers = "import sys; import drivers.contact, drivers.motion, drivers.lamp, drivers.supply"
    assert said(f"{drivers}; {LOADED}") == ["[]"]
    assert said(f"{drivers}, drivers.virtual.driver; {LOADED}") == ["[]"]


def test_what_was_left_out_is_there_for_who_uses_it() -> None:
    code = """
import sys, drivers.gpio
from gpiozero import Device, RGBLED
from gpiozero.output_devices import Color
from gpiozero.mixins import median
import importlib, importlib.metadata, importlib.resources
print(Color("yellow").rgb == (1, 1, 0), median([1, 2, 9]), importlib.metadata.version("gpiozero"))
print(importlib.resources.files("gpiozero").is_dir())
"""
    first, second = said(code)
    assert first.startswith("True 2 2.")
    assert second == "True"


def test_lgpio_is_taken_where_the_unit_names_it_and_no_entry_point_is_looked_for() -> None:
    code = f"""{FAKE_LGPIO}
drivers.gpio.ensure_pins()
from gpiozero import Device
print(type(Device.pin_factory).__name__, type(Device.pin_factory).__module__)
{LOADED}
"""
    assert said(code, "chip") == ["LGPIOFactory gpiozero.pins.lgpio", "[]"]


def test_a_machine_without_the_chip_says_so_and_falls_back_on_nothing() -> None:
    code = f"""{FAKE_LGPIO}
try:
    drivers.gpio.ensure_pins()
except drivers.gpio.claim_errors() as error:
    print(error)
from gpiozero import Device
print(Device.pin_factory)
"""
    assert said(code) == ["no chip", "None"]
