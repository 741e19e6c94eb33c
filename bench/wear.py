"""How much a hub writes to its SD card in a day: idle, with an alarm every hour.

A day is run through in `--minutes`: the clock of everything periodic in the shell (the flush of
what nobody is owed, telemetry, heartbeat, the black box's lines) is turned faster by the same
factor, and the alarms come faster too, each pressed, received, closed. What reaches the device is
counted by the block layer on a loop device with an ext4 of its own (journal and metadata included),
or, without root, as `write_bytes` of /proc/PID/io, which leaves the file system's journal out.

Not shown: the card's own write amplification, and ext4's commits every 5 s, which do not come
faster; a press's commit and the daily number of all else are as in a real day.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Report, arguments
from bench.rig import Rig
from hub.contract.messages import Stage
from hub.core.model.events import CenterAcked, LinkUp

DAY_S = 86_400.0
HEARTBEAT_S, TELEMETRY_S, ALARMS = 5.0, 300.0, 24
IMAGE_MB = 128
SECTOR = 512
FAST = "import sys, hub.engine; hub.engine.FLUSH_S /= {factor}; from bench import witness; "
FAST += "sys.exit(witness.main(*sys.argv[1:]))"


@contextmanager
def card() -> Iterator[tuple[Path, Path | None]]:
    """Return a folder on a loop device and the device's counters; or a plain folder and None."""
    with tempfile.TemporaryDirectory(prefix="anbu-card-") as made:
        folder, image = Path(made) / "mnt", Path(made) / "image"
        folder.mkdir()
        if os.geteuid() or not _mounted(image, folder):
            yield folder, None
            return
        device = subprocess.run(
            ("findmnt", "-no", "SOURCE", str(folder)), check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            yield folder, Path("/sys/class/block") / Path(device).name / "stat"
        finally:
            subprocess.run(("umount", str(folder)), check=True)


def _mounted(image: Path, folder: Path) -> bool:
    with image.open("wb") as made:
        made.truncate(IMAGE_MB * 1_000_000)
    format_ = ("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    mount = ("mount", "-o", "loop,noatime", str(image), str(folder))
    return all(
        subprocess.run(words, check=False, capture_output=True).returncode == 0
        for words in (format_, mount)
    )


def written_mb(rig: Rig, stat: Path | None) -> float:
    """Read how much was written so far."""
    if stat:
        subprocess.run(("sync",), check=True)
        return int(stat.read_text(encoding="ascii").split()[6]) * SECTOR / 1e6
    lines = Path(f"/proc/{rig.hub.pid}/io").read_text(encoding="ascii").splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("write_bytes")) / 1e6


def a_day(rig: Rig, seconds: float) -> None:
    """Press once an hour of a day that lasts `seconds`; each call is received and closed."""
    for _ in range(ALARMS):
        due = time.monotonic() + seconds / ALARMS
        rig.finger.press("help", 30)
        while not _heard_received(rig):
            pass
        rig.center.close_all()
        time.sleep(max(0.0, due - time.monotonic()))


def _heard_received(rig: Rig) -> bool:
    lines = rig.witness.until(CenterAcked)
    return any(isinstance(x, CenterAcked) and x.stage is Stage.RECEIVED for x in lines)


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=6.0, help="how long the day takes")
    args = parser.parse_args()
    seconds = 60 * (0.5 if args.short else args.minutes)
    factor = DAY_S / seconds
    report = Report(f"disk writes of a day in {seconds:g} s ({factor:.0f} x faster)")
    with card() as (folder, stat), Rig(state_dir=folder) as rig:
        rig.configure(top=f"telemetry_s = {TELEMETRY_S / factor}", blackbox_mb=4)
        rig.center.start()
        watchdog = str(int(6e6 * HEARTBEAT_S / factor))
        rig.start_hub(code=FAST.format(factor=factor), env={"WATCHDOG_USEC": watchdog})
        list(rig.witness.until(LinkUp))
        before = written_mb(rig, stat)
        a_day(rig, seconds)
        written = written_mb(rig, stat) - before
        commits = rig.witness.path.read_bytes().count(b'"Committed"')
    report.notes.append("counted by " + ("the block layer" if stat else "/proc/PID/io"))
    report.add(
        "commits (a real day has 1440 and some)", commits, "commits", at_least=1440, hard=False
    )
    report.add("written in a day, idle and 24 alarms", written, "MB/day", at_most=50)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
