"""A disk of this machine that QEMU records: the product writes to it here, without a virtual Pi.

with Recorder(folder) as disk:
    ...                      # disk.mounted, disk.device
replay(folder)

QEMU's storage daemon shows the disk as a file (FUSE), and the kernel makes a disk of that (loop).
"""

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.broker import wait_until
from tests.pi.flushes.replay import DISK, RECORD
from tests.pi.flushes.story import BEHIND, BLOCK
from tests.pi.stages import run

DAEMON = "qemu-storage-daemon"
NEEDED = (Path("/dev/fuse"), Path("/dev/loop-control"))


def blank(folder: Path) -> Path:
    """Make the disk of the beginning, an empty ext4 with room behind it; return a copy to use."""
    disk = folder / DISK
    run("mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-m", "0", disk, f"{BEHIND // 1024}k")
    with disk.open("r+b") as file:
        file.truncate(BEHIND + 16 * BLOCK)
    (folder / RECORD).touch()
    return Path(shutil.copy(disk, folder / "used.img"))


def is_usable() -> bool:
    """Whether this machine has what it needs: root, FUSE, loop devices, QEMU's tools."""
    there = all(one.exists() for one in NEEDED)
    return there and os.geteuid() == 0 and shutil.which(DAEMON) is not None


class Recorder:
    """A context: within it a file system is mounted whose disk is recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mounted = folder, folder / "mounted"
        self.device = ""
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        used, shown = blank(self.folder), self.folder / "shown"
        shown.touch()
        self.mounted.mkdir()
        with ExitStack() as undo:
            daemon = subprocess.Popen([DAEMON, *self._argv(used, shown)])
            undo.callback(daemon.wait)
            undo.callback(daemon.terminate)
            wait_until(lambda: os.path.ismount(shown), "the daemon shows the disk")
            self.device = run("losetup", "--find", "--show", shown).strip()
            undo.callback(run, "losetup", "--detach", self.device)
            run("mount", "-o", "noatime", self.device, self.mounted)
            undo.callback(run, "umount", self.mounted)
            self._undo = undo.pop_all()
        return self

    def _argv(self, used: Path, shown: Path) -> list[str]:
        file = "driver=file,cache.no-flush=on"
        return [
            "--blockdev", f"{file},node-name=disk,filename={used}",
            "--blockdev", f"{file},node-name=record,filename={self.folder / RECORD}",
            "--blockdev", "driver=blklogwrites,node-name=recorded,file=disk,log=record",
            "--export", f"fuse,id=shown,node-name=recorded,mountpoint={shown},writable=on",
        ]  # fmt: skip

    def __exit__(self, *_: object) -> None:
        self._undo.close()
