"""A home with a voice: its environment, models and unit on the Pi, and a loopback sound card."""

import time
from pathlib import Path
from typing import Self

from tests.broker import Broker
from tests.pi import voice_disk
from tests.pi.guestlink import wait_until
from tests.pi.home import SETTINGS, Home, log
from tests.pi.stages import HERE

VOICE = "anbu-voice.service"
MEMORY_MB = 3072
STARTS_S = 1200.0  # three engines on emulated cores: 300 s were measured beside busy neighbours
VOICE_SETTINGS = b"""\
microphone = "(hw:0,1)"
loudspeaker = "(hw:0,1)"
silent_s = 0
models = "/var/lib/anbu-models"
"""


class VoiceHome(Home):
    """A context: as `Home`, and the voice is installed; no sound card is there yet."""

    settings = SETTINGS + '\n[[device]]\nkind = "voicebox"\n'

    def __init__(self, folder: Path, broker: Broker) -> None:
        super().__init__(folder, broker)
        self.pi.memory_mb = MEMORY_MB
        self.pi.scratch = voice_disk.build()

    def _settings(self) -> dict[str, bytes]:
        return super()._settings() | {"voice.toml": VOICE_SETTINGS}

    def __enter__(self) -> Self:
        super().__enter__()
        started = time.monotonic()
        self.pi.put("/opt/pi/install_voice.sh", (HERE / "voice/install.sh").read_bytes())
        self.pi.must("bash /opt/pi/install_voice.sh /dev/vdc", timeout_s=900)
        log.info("voice installed in %.0f s", time.monotonic() - started)
        return self

    def pid(self) -> int:
        """Return the voice's process, 0 when there is none."""
        return int(self.show("MainPID", unit=VOICE)["MainPID"])

    def said(self, what: str, pid: int) -> bool:
        """Whether this process of the voice has said something in its log."""
        found = f"journalctl --no-pager -o cat _PID={pid} | grep -qF '{what}'"
        return self.pi.run(found).code == 0

    def wait_for(self, what: str, pid: int) -> float:
        """Wait until that process has said it, seconds."""
        began = time.monotonic()
        wait_until(lambda: self.said(what, pid), STARTS_S, f"the voice says: {what}", every_s=1)
        return time.monotonic() - began
