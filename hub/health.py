"""The hub's own health: its clock, its memory, the snapshot it wakes up with."""

import ctypes
import logging
import os
import resource
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.core.state import FORMAT, HomeState
from hub.core.watch_state import WatchState

LOG = logging.getLogger("anbu")
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
REFUSED = -1
TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux


def clock_synced() -> bool:
    """Tell whether the kernel holds the wall clock for synchronised, whoever does it.

    Where the question is refused (a unit that filters `adjtimex`), it is not known to be.
    """
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    return ctypes.CDLL(None).adjtimex(timex) not in {REFUSED, TIME_ERROR}


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


def decode(snapshot: bytes | None) -> HomeState:
    """Give the state of a snapshot; one of another format leaves only what the outbox holds."""
    if snapshot is None:
        return HomeState()
    try:
        state = msgspec.msgpack.decode(snapshot, type=HomeState)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        LOG.exception("the snapshot cannot be read")
        return HomeState()
    return state if state.format == FORMAT else HomeState()


def joined(old: HomeState, new: HomeState) -> HomeState:
    """Give `new`, with what was owed and open in `old`: the disk could be read only late."""
    owed = {o.id: o for o in (*old.owed, *new.owed)}
    return replace(
        new,
        alarms=(*old.alarms, *new.alarms),
        candidate=new.candidate or old.candidate,
        notices=tuple({n.id: n for n in (*old.notices, *new.notices)}.values()),
        owed=tuple(owed.values()),
        faults={**old.faults, **new.faults},
        watch=_supervised(old.watch, new.watch),
        counter=max(old.counter, new.counter),
    )


def _supervised(old: WatchState, new: WatchState) -> WatchState:
    """Go on with what was wrong and untold; `due` at once, to look at all of it anew."""
    return replace(
        new,
        due=new.began_at,
        batteries=old.batteries | new.batteries,
        flickers=old.flickers | new.flickers,
        flaps=old.flaps | new.flaps,
        untold=tuple(dict.fromkeys(old.untold + new.untold)),
        waiting=old.waiting + new.waiting,
    )
