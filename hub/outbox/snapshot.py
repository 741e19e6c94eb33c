"""The snapshot that the hub starts with, and measurements of its own process."""

import logging
import resource
from pathlib import Path

from hub.core.model.state import HomeState
from hub.core.supervision import snapshot
from hub.shared.system import rss_mb

LOG = logging.getLogger("anbu")


def readings() -> dict[str, float]:
    """Return memory (MB), open files, CPU seconds, and the chip's temperature where it is known."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rss_mb": round(rss_mb(), 1),
        "open_files": float(sum(1 for _ in Path("/proc/self/fd").iterdir())),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
    }
    zone = Path("/sys/class/thermal/thermal_zone0/temp")
    if zone.exists():
        found["chip_celsius"] = int(zone.read_text(encoding="ascii")) / 1000
    return found


def decode(raw: bytes | None, *also: str) -> HomeState:
    """Return the state of a snapshot; a fault in it names the parts that could not be read.

    `also` names what could not be read of other files.
    """
    kept = snapshot.decode(raw)
    lost = (*kept.lost, *also)
    if lost:
        LOG.error("not all that was kept could be read: %s", ", ".join(lost))
    return snapshot.with_fault(kept.state, lost)
