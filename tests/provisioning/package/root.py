"""This machine's own system, to be changed and thrown away: an overlay, and no network."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SET_UP = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mount --rbind /proc "$0/root/proc"
mount --rbind /sys "$0/root/sys"
mount --rbind /dev "$0/root/dev"
mount -t tmpfs tmpfs "$0/root/run"
mount -t tmpfs tmpfs "$0/root/tmp"
echo ready
exec sleep infinity
"""
COMMAND_S = 300


class Root:
    """Commands run in it as root; what they change is gone with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holder: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Make the namespace; it lives as long as the process that holds it."""
        words = ["unshare", "--mount", "--net", "sh", "-c", SET_UP, str(self._folder)]
        self._holder = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout
        assert self._holder.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the namespace, and with it all that was changed."""
        assert self._holder
        self._holder.kill()
        self._holder.communicate()

    def try_(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command; its code and what it said on both channels, as stdout."""
        assert self._holder
        enter = ["nsenter", "-t", str(self._holder.pid), "--mount", "--net"]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "ANBU_LANG=en"]
        return subprocess.run(
            [*enter, "chroot", str(self._folder / "root"), *clean, *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=COMMAND_S,
        )  # fmt: skip

    def run(self, *words: str) -> str:
        """Run a command that must succeed; return what it said."""
        done = self.try_(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        self.run("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" >"$1"', "put", path, text)

    def there(self, path: str) -> bool:
        """Whether the path exists."""
        return self.try_("test", "-e", path).returncode == 0

    def lend(self, file: Path) -> str:
        """Lay a file of the machine into /tmp there; return its path there."""
        assert self._holder
        inside = f"/tmp/{file.name}"  # noqa: S108 - the root's own
        enter = ["nsenter", "-t", str(self._holder.pid), "--mount"]
        target = f"{self._folder}/root{inside}"
        with file.open("rb") as source:
            subprocess.run(
                [*enter, "tee", target], stdin=source, stdout=subprocess.DEVNULL, check=True
            )
        return inside
