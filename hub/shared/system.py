"""What a process asks the kernel and the C library: whether the clock is right, and memory."""

import ctypes
import gc
import os
from pathlib import Path

M_ARENA_MAX = -8  # malloc.h
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 512  # the buffer that it writes into: struct timex is 208 bytes on 64-bit Linux


def clock_synced() -> bool:
    """Whether the kernel says that the wall clock is synchronised, by whichever program.

    False where the kernel refuses the call (-1: the systemd unit filters it).
    """
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    answer: int = ctypes.CDLL(None).adjtimex(timex)
    return 0 <= answer < TIME_ERROR


def rss_mb(process: int | str = "self") -> float:
    """Return the resident memory of a process, by default this one's, in MB of 10^6 bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def one_heap() -> None:
    """Make all threads that start from now on allocate from one heap.

    Each heap keeps freed memory. With one heap, the voice took at most 682 MB in 3 min beside a
    television, instead of 693. The hub takes 0.4 MB less; its threads wait for disk and network
    and not for the heap.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if choose is not None:
        choose(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return freed memory to the kernel: glibc keeps what a long sentence or a model took."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def settle_memory() -> None:
    """Free what only the start needed, and exempt the rest from garbage collection.

    It takes 15 ms, once. A collection over all that was loaded would take 10 ms during a call in
    the hub, and 40 ms while the voice recognises speech.
    """
    gc.collect()
    give_back()
    gc.freeze()
