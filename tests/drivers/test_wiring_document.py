"""docs/wiring.md says the pins of the settings, and the header's pins as gpiozero knows them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.pi import PiBoardInfo

from tests.layout import REPO

TEXT = (REPO / "docs/wiring.md").read_text("utf-8")
DRAWING = (REPO / "docs/images/wiring.svg").read_text("utf-8")
ROW = re.compile(r"^\| ([\w.]+) \| [^|]+ \| (\d+) \| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
INSTALLED = REPO / "provisioning/package/etc/anbu/hub.toml"
EXAMPLE = REPO / "docs/examples/hub.toml"
LAMPS = ("red", "green", "amber", "buzzer")
PI_4, PI_5 = 0xC03112, 0xC04170  # revisions, as the boards tell them


def devices(file: Path) -> list[dict[str, Any]]:
    """Return the devices of a hub's settings, as they are written."""
    found: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8"))["device"]
    return found


def lines(file: Path) -> dict[str, int]:
    """Return each device's GPIO line."""
    found: dict[str, int] = {}
    for device in devices(file):
        if device["kind"] == "lamp":
            found |= {f"{device['name']}.{lamp}": device[lamp] for lamp in LAMPS}
        elif "pin" in device:
            found[device["name"]] = device["pin"]
    return found


def test_the_table_has_the_lines_of_the_installed_settings_and_of_the_example() -> None:
    table = {name: int(line) for name, line, *_ in ROW.findall(TEXT)}
    assert table == lines(EXAMPLE) | lines(INSTALLED)
    assert lines(INSTALLED).items() <= lines(EXAMPLE).items(), "one house, one wiring"


@pytest.mark.parametrize("revision", [PI_4, PI_5])
def test_each_line_is_at_the_pin_that_the_table_says(revision: int) -> None:
    pins = PiBoardInfo.from_revision(revision).headers["J8"].pins
    for name, line, pin, other, _ in ROW.findall(TEXT):
        assert pins[int(pin)].name == f"GPIO{line}", name
        grounds = re.findall(r"ground, pin (\d+)", other)
        assert grounds, name
        assert all(pins[int(one)].name == "GND" for one in grounds), name
        assert all(pins[int(one)].name == "5V" for one in re.findall(r"5 V, pin (\d+)", other))


def test_buttons_that_call_are_normally_closed_in_table_and_settings() -> None:
    notes = {name: note for name, *_, note in ROW.findall(TEXT)}
    assert "normally closed" in notes["help"]
    assert "normally closed" in notes["cord"]
    for file in (INSTALLED, EXAMPLE):
        calls = [one for one in devices(file) if one.get("role") in {"help_button", "pull_cord"}]
        assert calls
        assert {one.get("wiring") for one in calls} == {"normally_closed"}, file


def test_the_drawing_names_each_device_at_its_line() -> None:
    drawn = re.findall(r">([\w.]+)</tspan>[^<]*GPIO (\d+)<", DRAWING)
    table = [(name, line) for name, line, *_ in ROW.findall(TEXT)]
    assert sorted(drawn) == sorted(table)
