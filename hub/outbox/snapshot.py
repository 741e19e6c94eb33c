"""The snapshot that the hub starts with, and measurements of its own process and clock."""

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
    """Whether the kernel says that the wall clock is synchronised, by whatever program."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    return kernel_trusts(ctypes.CDLL(None).adjtimex(timex))


def readings() -> dict[str, float]:
    """Return memory (MB), open files, CPU seconds, and the chip's temperature where it is known."""
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
    """Return the state of a snapshot; a fault in it names the parts that could not be read.

    `also` names what could not be read of other files.
    """
    kept = snapshot.decode(raw)
    lost = (*kept.lost, *also)
    if lost:
        LOG.error("not all that was kept could be read: %s", ", ".join(lost))
    return snapshot.with_fault(kept.state, lost)
