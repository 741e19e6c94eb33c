"""What the hub may not have, on the disk: a press that a radio owed when it died is still owed.

    keep(owed) --at once--> a thread --> owed.jsonl    no disk holds up who tells the hub
    the next radio: load() --> told again, as old as it is; what is known to be too old is dropped

The file is written whole, and only when what is owed changes: twice for a press. In a flood it is
written at most every `PAUSE_S`. A file that cannot be read, or not whole, is kept aside; on a disk
that takes nothing the radio works as without the file, and tries again.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.json_lines import JsonLineError
from hub.contract.radio import VOCABULARY, Found, Pressed
from hub.shared.files import to_disk, write_whole
from hub.shared.system import clock_synced

log = logging.getLogger(__name__)
FILE = "owed.jsonl"
MODE = 0o600
MOST_BYTES = 131_072  # 48 presses and 64 hazards of some 300 bytes each take 34 KB
BURST, BURST_S = 20, 1200.0  # so many writes in 20 minutes wear no card; more are a flood
PAUSE_S = 30.0  # between two writes of a flood
AGAIN_S = 30.0  # until a disk that took nothing is tried again
CLOSE_S = 1.0
BOOT = "ANBU_BOOT"  # from systemd: the unit does not see the file below
BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
Lasting = Pressed | Found


class Owing(NamedTuple):
    """A fact, when it was heard, and until when it is owed, by `time.monotonic`."""

    heard_at: float
    fact: Lasting
    until: float


class Entry(Struct, frozen=True):
    """A line of the file: a word of the protocol, and when it was heard by each clock.

    `since_boot_s` counts from the boot `boot`; `utc` is right if `synced`.
    """

    word: msgspec.Raw
    keep_s: float
    boot: str
    since_boot_s: float
    utc: float
    synced: bool


class Clocks(Struct, frozen=True):
    """This machine's clocks."""

    boot: str
    monotonic: Callable[[], float] = time.monotonic
    since_boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    utc: Callable[[], float] = time.time
    synced: Callable[[], bool] = clock_synced


def clocks() -> Clocks:
    """Return this machine's clocks; `boot` is empty where nothing names the boot."""
    boot = os.environ.get(BOOT, "")
    with suppress(OSError):
        boot = boot or BOOT_FILE.read_text(encoding="ascii")
    return Clocks(boot.strip().replace("-", ""))


class OwedFile:
    """The file of what is owed. Nothing here raises for what a disk does."""

    def __init__(self, path: Path, clocks: Clocks) -> None:
        self._path, self._clocks = path, clocks
        self._owed: tuple[Owing, ...] = ()
        self._changed, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._written = b""  # used by the thread only, as all below
        self._writes: deque[float] = deque(maxlen=BURST)
        self._is_told = False

    def load(self) -> list[Lasting]:
        """Return what an earlier radio owed, with its age; what is surely too old is left out."""
        try:
            with self._path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            log.warning("%s: %s", self._path, error)
            return []
        self._written = data
        facts, is_whole = list[Lasting](), len(data) <= MOST_BYTES
        for line in data.splitlines():
            try:
                facts += self._read(line)
            except (msgspec.DecodeError, JsonLineError, UnicodeDecodeError):
                is_whole = False
        if not is_whole:
            log.warning("%s is damaged: %d facts of it are good", self._path, len(facts))
            with suppress(OSError):
                self._path.replace(self._path.with_suffix(".damaged"))
        return facts

    def keep(self, owed: tuple[Owing, ...]) -> None:
        """Have this written instead of what was owed before; it takes no time."""
        if self._thread is None:
            if not (owed or self._written):
                return  # in most homes there is nothing for weeks
            self._thread = threading.Thread(target=self._serve, name="anbu-owed", daemon=True)
            self._thread.start()
        self._owed = owed
        self._changed.set()

    def close(self) -> None:
        """Write what is not written yet, unless the disk hangs."""
        if self._thread is not None:
            self._ended.set()
            self._changed.set()
            self._thread.join(CLOSE_S)

    def _read(self, line: bytes) -> Iterator[Lasting]:
        entry = msgspec.json.decode(line, type=Entry)
        fact = VOCABULARY.decode(bytes(entry.word))
        age_s = self._age_s(entry)
        if isinstance(fact, Pressed | Found) and age_s <= entry.keep_s:
            log.info("still owed from before: %s, heard %.0f s ago", fact.device, age_s)
            yield replace(fact, ago_s=age_s)

    def _age_s(self, entry: Entry) -> float:
        """Return how old a fact is at least: who cannot know its age takes it for a new one.

        It is not marked as doubtful for that: what is doubtful is the first to be dropped.
        """
        now, boot = self._clocks, self._clocks.boot
        if boot and boot == entry.boot:
            return max(0.0, now.since_boot() - entry.since_boot_s)
        by_boot = now.since_boot() if boot and entry.boot else 0.0  # it was heard before that
        by_wall = now.utc() - entry.utc if entry.synced and now.synced() else 0.0
        return max(by_boot, by_wall)

    # the thread

    def _serve(self) -> None:
        wait_s: float | None = None
        while not self._ended.is_set():
            self._changed.wait(wait_s)
            self._changed.clear()
            wait_s = self._write_due()
            self._rest()
        self._write_due()

    def _write_due(self) -> float | None:
        """Write what is owed by now; return after how many seconds that may be less."""
        now = self._clocks.monotonic()
        owed = [one for one in self._owed if one.until > now]
        try:
            self._write(owed, now)
        except OSError as error:
            if not self._is_told:
                log.warning("%s: %s", self._path, error)
            self._is_told = True
            return AGAIN_S
        self._is_told = False
        return min((one.until - now for one in owed), default=None)

    def _write(self, owed: list[Owing], now: float) -> None:
        """Write the file; where nothing is owed there is none. Raises OSError."""
        data = b"".join(self._line(one, now) for one in owed)
        if data:
            write_whole(self._path, data, mode=MODE)
        elif self._written:
            self._path.unlink(missing_ok=True)
        else:
            return
        to_disk(self._path.parent)
        self._written = data
        self._writes.append(now)

    def _line(self, one: Owing, now: float) -> bytes:
        age_s, clocks = now - one.heard_at, self._clocks
        entry = Entry(
            msgspec.Raw(VOCABULARY.encode(one.fact).rstrip()),
            one.until - one.heard_at,
            clocks.boot,
            clocks.since_boot() - age_s,
            clocks.utc() - age_s,
            clocks.synced(),
        )
        return msgspec.json.encode(entry) + b"\n"

    def _rest(self) -> None:
        """Let a flood not wear out the card."""
        if len(self._writes) == BURST and self._clocks.monotonic() - self._writes[0] < BURST_S:
            self._ended.wait(PAUSE_S)
