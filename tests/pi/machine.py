"""The virtual Pi as a test holds it: power, a finger on a line, a meter on a line, a shell.

One Machine is one SD card (a qcow2 over the cached base image); `boot` and `cut_power` may follow
each other as often as a test likes. The disk has no write cache on the host: a write that the
guest saw completed has been synced, and what it had not written is gone at the cut.
"""

import base64
import contextlib
import logging
import os
import subprocess
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pi.guestlink import Answer, GuestError, GuestLink, wait_until
from tests.pi.stages import run as run_here

log = logging.getLogger("anbu-pi")

BROKER_IN_GUEST = "10.0.2.100:8883"
EST_IN_GUEST = "10.0.2.100:8444"
BOOT_S = 600.0  # emulated cores: 36 s on an idle machine, 140 s beside four busy neighbours
MEMORY_MB = 1024
# no_timer_check: on a busy host a kernel took the emulated timer for broken, and panicked.
KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 panic=-1 quiet mitigations=off no_timer_check"


@dataclass(frozen=True)
class Done:
    """What a command in the guest left behind."""

    code: int
    out: str
    err: str


class Machine:
    """A virtual Pi with its own folder for disk, sockets and console log.

    `scratch` is one more disk, the guest's last; what is written there is gone with the power.
    `recorded` is one more disk, with a write cache as a card has, of which QEMU writes down each
    write and flush. `forwards` are more addresses in the guest, each a port of the host.
    """

    memory_mb = MEMORY_MB
    closed: Container[int] = ()  # lines of contacts that are closed at rest
    cargo_is_read_only = True
    cable = True
    kernel_words = ""
    board = ""  # a UUID by which this board is known; QEMU's own is the same for all
    forwards: Mapping[str, int] = {}  # besides the broker's

    def __init__(
        self, image: Path, folder: Path, broker_port: int, cargo: Path | None = None
    ) -> None:
        self.folder = folder
        self._image = image
        self._broker_port = broker_port
        self._cargo = cargo
        self._qemu: subprocess.Popen[bytes] | None = None
        self._link: GuestLink | None = None
        self.boot_s = 0.0
        self.scratch: Path | None = None
        self.recorded: tuple[Path, Path] | None = None  # the disk, its record
        base = str(image / "base.img")
        disk = ("create", "-q", "-f", "qcow2", "-F", "raw", "-b", base)
        run_here("qemu-img", *disk, folder / "card.qcow2")

    def _argv(self) -> list[str]:
        # One socat for each connection of the guest; QEMU wants a comma in a value written twice.
        wire = "user,id=n,restrict=on"
        for address, port in {BROKER_IN_GUEST: self._broker_port, **self.forwards}.items():
            wire += f",guestfwd=tcp:{address}-cmd:socat - TCP:127.0.0.1:{port},,nodelay"
        card = self.folder / "card.qcow2"
        argv = [
            "nice", "-n", "5", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2",
            "-cpu", "max", "-m", str(self.memory_mb), "-nodefaults", "-display", "none",
            "-no-reboot",
            "-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._image / "initrd.img"),
            "-append", KERNEL_WORDS + self.kernel_words,
            "-serial", f"file:{self.folder / 'console.log'}", "-rtc", "base=utc",
            "-drive", f"file={card},format=qcow2,if=virtio,cache=writethrough",
            *(("-device", "virtio-net-pci,netdev=n,romfile=", "-netdev", wire) * self.cable),
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self._agent_path},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=anbu.agent",
            "-chardev", f"socket,id=hci,path={self.radio_path},server=on,wait=off",
            "-device", "virtserialport,chardev=hci,name=anbu.hci",
        ]  # fmt: skip
        if self.board:
            argv += ["-uuid", self.board]
        if self._cargo:
            kept = "readonly=on" if self.cargo_is_read_only else "cache=writethrough"
            argv += ["-drive", f"file={self._cargo},format=raw,if=virtio,{kept}"]
        if self.scratch:
            argv += ["-drive", f"file={self.scratch},format=raw,if=virtio,snapshot=on"]
        return argv + self._recording()

    def _recording(self) -> list[str]:
        """Return the arguments of a disk that is recorded, `virtio-state` by its id.

        The guest finds it last, by its place on the bus: the card stays /dev/vda.
        """
        if self.recorded is None:
            return []
        disk, record = self.recorded
        file = "driver=file,cache.no-flush=on"
        return [
            "-blockdev", f"{file},node-name=state-disk,filename={disk}",
            "-blockdev", f"{file},node-name=state-record,filename={record}",
            "-blockdev", "driver=blklogwrites,node-name=state,file=state-disk,log=state-record",
            "-device", "virtio-blk-pci,drive=state,serial=state,write-cache=on,addr=1c",
        ]  # fmt: skip

    @property
    def radio_path(self) -> Path:
        """The socket on which a Bluetooth controller may stand (H4)."""
        return self.folder / "hci.sock"

    @property
    def _agent_path(self) -> Path:
        return self.folder / "agent.sock"

    def boot(self) -> None:
        """Power on, and wait until the agent in the guest has spoken."""
        self._agent_path.unlink(missing_ok=True)
        started = time.monotonic()
        with (self.folder / "qemu.log").open("ab") as said:
            self._qemu = subprocess.Popen(
                self._argv(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        wait_until(self._agent_listens, 30, f"QEMU runs (see {said.name})")
        self.link.hello(BOOT_S)
        self.must("systemctl is-active anbu-pi-board.service")
        self.boot_s = time.monotonic() - started
        log.info("virtual Pi: up in %.0f s", self.boot_s)

    def _agent_listens(self) -> bool:
        if self._qemu is None or self._qemu.poll() is not None:
            message = f"QEMU ended: {(self.folder / 'qemu.log').read_text()[-500:]}"
            raise GuestError(message)
        with contextlib.suppress(OSError):
            self._link = GuestLink(self._agent_path)
            return True
        return False

    @property
    def link(self) -> GuestLink:
        """The wire to the agent; `GuestError` when the power is off."""
        if self._link is None:
            message = "the virtual Pi is off"
            raise GuestError(message)
        return self._link

    def cpu_s(self) -> float:
        """Seconds of processor time since the power came on: what a busy host does not change."""
        assert self._qemu
        fields = Path(f"/proc/{self._qemu.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cut_power(self) -> None:
        """Take the plug out: SIGKILL to the one QEMU process that `boot` started."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
        if self._link is not None:
            self._link.close()
        self._qemu = self._link = None

    def shut_down(self, timeout_s: float = 60.0) -> None:
        """Power off in order; the plug, if that takes longer than `timeout_s`."""
        with contextlib.suppress(GuestError, subprocess.TimeoutExpired):
            self.run("systemctl poweroff --no-block", timeout_s=20)
            if self._qemu is not None:
                self._qemu.wait(timeout_s)
        self.cut_power()

    def run(self, command: str, timeout_s: float = 120.0) -> Done:
        """A bash command as root, to its end."""
        request = self.link.ask("run", timeout_s + 10, command=command, timeout_s=timeout_s)
        answers = list(request)
        return Done(answers[0]["code"], answers[0]["out"], answers[0]["err"])

    def must(self, command: str, timeout_s: float = 120.0) -> str:
        """As `run`, for a command that has to succeed; its output."""
        done = self.run(command, timeout_s)
        if done.code:
            message = f"{command}: exit code {done.code}\n{done.out}{done.err}"
            raise GuestError(message)
        return done.out

    def until(self, command: str, timeout_s: float = 120.0) -> None:
        """Wait until a command succeeds in the guest."""
        wait_until(lambda: self.run(command).code == 0, timeout_s, command, every_s=0.3)

    def put(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file in the guest."""
        coded = base64.b64encode(data).decode()
        list(self.link.ask("put", path=path, data=coded, mode=mode))

    def press(
        self, line: int, down_s: float = 0.1, gap_s: float = 0.2, count: int = 1
    ) -> Iterator[Answer]:
        """Press a contact; each answer says when the finger came down, by the guest's clocks."""
        fields: dict[str, Any] = {"line": line, "down_s": down_s, "gap_s": gap_s, "count": count}
        fields["closed"] = line in self.closed
        return self.link.ask("press", **fields)

    def watch(self, *lines: int, seconds: float) -> Iterator[Answer]:
        """Each level change of some lines for `seconds`, their present levels first."""
        return self.link.ask("watch", seconds + 30, lines=list(lines), seconds=seconds)

    def follow(self, path: str, query: str, seconds: float) -> Iterator[Answer]:
        """Each row of a query on a guest's SQLite file, when it is first seen there: durable."""
        return self.link.ask("follow", seconds + 30, path=path, query=query, seconds=seconds)

    def level(self, line: int) -> int:
        """0 or 1 on a line now."""
        return int(next(iter(list(self.watch(line, seconds=0.001))))["level"])

    def clock_offset_s(self, tries: int = 15) -> float:
        """Guest `utc` minus host time in seconds, from the quickest of some exchanges."""
        best = (float("inf"), 0.0)
        for _ in range(tries):
            before = time.time()
            guest = next(iter(list(self.link.ask("clock"))))["utc"]
            after = time.time()
            best = min(best, (after - before, guest - (before + after) / 2))
        return best[1]
