"""The hub's own health: its clock, its memory, the snapshot it wakes up with."""

import ctypes
import logging
import os
import resource
from pathlib import Path

from hub.contract.times import TIMEX_BYTES, kernel_trusts
from hub.core.model.state import HomeState
from hub.core.supervision import snapshot

LOG = logging.getLogger("anbu")


def clock_synced() -> bool:
    """Tell whether the kernel holds the wall clock for synchronised, whoever does it."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    return kernel_trusts(ctypes.CDLL(None).adjtimex(timex))


def readings() -> dict[str, float]:
    """Measure memory in MB, open files, CPU seconds, and the chip's temperature where known."""
    rss_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rss_mb": round(rss_pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
        "open_files": float(sum(1 for _ in Path("/proc/self/fd").iterdir())),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
    }
    zone = Path("/sys/class/thermal/thermal_zone0/temp")
    if zone.exists():
        found["chip_celsius"] = int(zone.read_text(encoding="ascii")) / 1000
    return found


def decode(raw: bytes | None, *also: str) -> HomeState:
    """Give the state of a snapshot as far as it can be read, with a fault that names the rest.

    `also` is what of other files could not be read.
    """
    kept = snapshot.decode(raw)
    lost = (*kept.lost, *also)
    if lost:
        LOG.error("not all that was kept could be read: %s", ", ".join(lost))
    return snapshot.faulty(kept.state, lost)
