"""What this process takes of memory, and gives back."""

import ctypes
import os
from pathlib import Path


def rss_mb() -> float:
    """Measure this process's memory, in MB of 10^6 bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def give_back() -> None:
    """Give freed memory back to the machine: glibc keeps what a long sentence or a model took."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
