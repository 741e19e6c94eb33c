"""What is written while the record runs; it runs in the guest, with the hub's own environment.

    calls SECONDS    write down each call that a second reader sees in the outbox: it is durable
    works ROUNDS     registration, renewals, devices, a press that a radio owes, habits

Claims are written to the recorded disk itself, behind its file system and past every cache: they
stand in the record among the writes and flushes, and no clock is needed to compare them.
"""

import asyncio
import json
import mmap
import os
import pwd
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from drivers.bluetooth.owed_file import OwedFile, Owing, clocks
from drivers.bluetooth.pairing import roster
from hub.contract.radio import How, Pressed
from hub.core.model.activity import Habits
from hub.core.model.wireless import Pendant
from hub.outbox import habits_file
from hub.shared.county import County
from hub.shared.identity import CURRENT, NEXT, prove, read
from provisioning.enrol.enrolment import Enrolment

BEHIND, BLOCK = 24 * 1024 * 1024, 4096  # where the file system ends; one claim
STATE = Path("/var/lib/anbu")
COUNTY = County(center="https://10.0.2.100:8444", ca="/run/flushes/ca.crt")
OWED = "SELECT id FROM message WHERE lane = 0"
POLL_S = 0.01
LONG_S = 1e7  # the judge's machine has started long ago


class Witness:
    """Writes claims to the disk, each in one block of its own writer."""

    def __init__(self, disk: str, place: int) -> None:
        self._disk = os.open(disk, os.O_WRONLY | os.O_DIRECT)
        self._at = BEHIND + place * BLOCK
        self._block = mmap.mmap(-1, BLOCK)  # O_DIRECT wants memory that begins with a page

    def claim(self, what: str, value: str, *, done: bool = True) -> None:
        """Write one claim; `done`: it is durable, else it may be from now on."""
        said = json.dumps({"what": what, "value": value, "done": done}).encode()
        self._block[:] = said.ljust(BLOCK, b"\0")
        os.pwrite(self._disk, self._block, self._at)


def calls(witness: Witness, state: Path, seconds: float) -> None:
    """A reader of a WAL file sees a transaction only after its sync, so what is seen is durable."""
    seen: set[str] = set()
    end = time.monotonic() + seconds
    with closing(sqlite3.connect(f"file:{state}/outbox.db?mode=ro", uri=True)) as db:
        while time.monotonic() < end and not (state / "enough").exists():
            for (call,) in db.execute(OWED).fetchall():
                if call not in seen:
                    seen.add(call)
                    witness.claim("call", call)
            time.sleep(POLL_S)
    print(len(seen))  # noqa: T201 - the host reads it


def works(witness: Witness, state: Path, county: County, rounds: int) -> None:
    """Do one round after the other; the first one registers the hub, the others renew."""
    for number in range(rounds):
        _register(witness, state / "identity", county, number + 1)
        _list(witness, state / "devices.toml", number)
        _owe(witness, state / "owed.jsonl", number)
        _learn(witness, state / "habits.bin", number + 1)


def _register(witness: Witness, root: Path, county: County, number: int) -> None:
    witness.claim("identity", str(number), done=False)
    enrolment = Enrolment(root, county, "board", lambda _: None, synced=lambda: True)
    asyncio.run(enrolment.step())
    fresh = read(root, NEXT)
    if fresh is not None:
        prove(root, fresh)  # as the hub does once a session stands
    held = read(root, CURRENT)
    if held is None or held.number != number:
        sys.exit(f"round {number}: {held}")
    witness.claim("identity", str(number))


def _list(witness: Witness, path: Path, number: int) -> None:
    name = f"pendant-{number}"
    pendant = Pendant(name, f"38:39:8F:70:B2:{number:02X}", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")

    def how(devices: roster.Listed) -> roster.Listed:
        after = roster.added(devices[-2:], pendant)
        witness.claim("devices", " ".join(one.name for one in after), done=False)
        return after

    after = roster.change(path, how)
    witness.claim("devices", " ".join(one.name for one in after))


def _owe(witness: Witness, path: Path, number: int) -> None:
    """Write as the radio's own thread does, and wait for it."""
    now, name = time.monotonic(), f"pendant-{number}"
    press = Pressed(name, name, How.PRESS)
    witness.claim("owed", name, done=False)
    OwedFile(path, clocks())._write([Owing(now, press, now + LONG_S)], now)
    witness.claim("owed", name)


def _learn(witness: Witness, path: Path, number: int) -> None:
    """Write habits; never claimed as done, since their folder is not synced: no call needs them."""
    witness.claim("habits", str(number), done=False)
    habits_file._write(path, Habits(days=number))


def main() -> None:
    """Open the disk as root, then go on as the hub's user."""
    story, disk, amount = sys.argv[1:]
    witness = Witness(disk, 0 if story == "calls" else 1)
    user = pwd.getpwnam("anbu")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o077)
    if story == "calls":
        calls(witness, STATE, float(amount))
    else:
        works(witness, STATE, COUNTY, int(amount))


if __name__ == "__main__":
    main()
