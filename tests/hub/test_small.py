"""The hub stays small: nothing of Bluetooth, sound or models is ever in its process."""

import subprocess
import sys

from tests.layout import REPO

NEVER = (
    "bleak", "bleak_retry_connector", "dbus_fast", "cryptography",
    "vosk", "pyaudio", "numpy", "onnxruntime", "ctranslate2", "requests",
)  # fmt: skip
OF_BOTH = {"drivers.bluetooth.devices"}  # the list of devices, which hub and radio read
WHOLE_HUB = """
import sys
from pathlib import Path
from hub import app
from hub.config import driver_kinds, find_driver, load
load(Path(sys.argv[1]))
for kind in driver_kinds():
    assert find_driver(kind)
print(" ".join(sys.modules))
"""


def test_the_hub_never_imports_what_belongs_to_radio_and_voice() -> None:
    """With each kind of driver there is, the virtual ones included."""
    config = str(REPO / "docs" / "examples" / "hub.toml")
    told = subprocess.run(
        [sys.executable, "-c", WHOLE_HUB, config], cwd=REPO, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    assert "drivers.radio" in told
    assert {name for name in told if name in NEVER} == set()
    of_radio = {name for name in told if name.startswith("drivers.bluetooth.")}
    assert of_radio == OF_BOTH
