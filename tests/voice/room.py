"""A room of sound without a sound card: PulseAudio in user space, with null sinks.

    say() -> sink "room" -> source "microphone" -> ALSA's pulse plug-in -> PortAudio
    PortAudio -> ALSA's pulse plug-in -> sink "loudspeaker" -> listen()

A real room is never digitally silent: a faint hiss plays all the time.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from voice.sound.pcm import HEARING_HZ

MICROPHONE, LOUDSPEAKER = "anbu_microphone", "anbu_loudspeaker"
PARTS = {
    "sink": "load-module module-null-sink sink_name={0} rate=16000 channels=1",
    "microphone": "load-module module-remap-source source_name=microphone master=room.monitor",
}
LOUD = 1000  # of 32767
HISS = "4000"  # of 65536, cubed: a few steps of 16 bits


def missing() -> str:
    """Name a program that the room needs and the machine lacks."""
    return next((p for p in ("pulseaudio", "paplay", "parec") if not shutil.which(p)), "")


def until(condition: Callable[[], object], within_s: float = 10.0, step_s: float = 0.02) -> bool:
    """Wait until the condition holds; False when it did not hold in time."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step_s)
    return bool(condition())


class Room(Struct, frozen=True):
    """A room with a microphone in it, and the loudspeaker's membrane to listen at."""

    folder: Path
    server: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a program finds this room, and no other sound."""
        run = str(self.folder)
        return os.environ | {
            "HOME": run,
            "XDG_RUNTIME_DIR": run,
            "XDG_CONFIG_HOME": run,
            "PULSE_RUNTIME_PATH": run,
            "PULSE_STATE_PATH": run,
            "PULSE_SERVER": f"unix:{run}/native",
            "ALSA_CONFIG_PATH": f"{run}/alsa.conf",
        }

    def order(self, *orders: str) -> str:
        """Send commands to PulseAudio; return what it answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.folder / "cli"))
            line.sendall("\n".join((*orders, "")).encode())
            line.shutdown(socket.SHUT_WR)
            said = b""
            while got := line.recv(65_536):
                said += got
        return said.decode()

    def say(self, pcm: bytes, rate_hz: int = HEARING_HZ) -> None:
        """Play mono sound into the room, to its end."""
        self._play(pcm, rate_hz, "room")

    def listen(self, sound: Callable[[], None], after_s: float = 0.5) -> bytes:
        """Return what the loudspeaker played during `sound`, as 16 kHz mono."""
        out = self.folder / "heard.raw"
        with self.recording(out):
            sound()
            size = out.stat().st_size
            until(lambda: out.stat().st_size > size + after_s * HEARING_HZ * 2)
        return out.read_bytes()

    @contextmanager
    def recording(self, out: Path, source: str = "loudspeaker.monitor") -> Iterator[None]:
        """Write all that a source gives to `out`, 16 kHz mono."""
        out.write_bytes(b"")
        words = ["parec", "-d", source, f"--rate={HEARING_HZ}", "--channels=1", "--raw"]
        words += ["--format=s16le", "--latency-msec=20", str(out)]
        recorder = subprocess.Popen(words, env=self.environment)
        try:
            assert until(lambda: out.stat().st_size > 0)
            yield
        finally:
            recorder.terminate()
            recorder.wait(10)

    def is_loud(self, source: str) -> bool:
        """Whether a source gives more than hiss."""
        out = self.folder / "level.raw"
        with self.recording(out, source):
            until(lambda: out.stat().st_size > HEARING_HZ // 5)
        return max(map(abs, memoryview(out.read_bytes()).cast("h")), default=0) > LOUD

    def mute(self, on: bool) -> None:  # noqa: FBT001 - a switch
        """Turn the microphone's switch."""
        self.order(f"set-source-mute microphone {int(on)}")

    def unplug(self) -> None:
        """Take the microphone away, as a USB plug does: who records from it gets an error."""
        modules = self.order("list-modules").split("index: ")
        owner = next(m for m in modules if "<module-remap-source>" in m).split()[0]
        self.order(f"unload-module {owner}")
        outputs = self.order("list-source-outputs").split("index: ")[1:]
        self.order(*(f"kill-source-output {each.split()[0]}" for each in outputs))

    def plug_in(self) -> None:
        """Bring the microphone back."""
        self.order(PARTS["microphone"])

    def freeze(self) -> None:
        """Stop the sound server, so that it hangs like a driver whose USB device has gone."""
        self.server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Wake the stopped sound server."""
        self.server.send_signal(signal.SIGCONT)

    def _play(self, pcm: bytes, rate_hz: int, sink: str) -> None:
        words = ["paplay", "--raw", "-d", sink, f"--rate={rate_hz}", "--channels=1"]
        words += ["--format=s16le", "--latency-msec=50", "/dev/stdin"]
        subprocess.run(words, input=pcm, env=self.environment, check=True, timeout=120)


@contextmanager
def room(folder: Path) -> Iterator[Room]:
    """Open a room of sound in `folder`, whose path must be short (unix sockets)."""
    _furnish(folder)
    words = ["pulseaudio", "-n", "-F", str(folder / "room.pa"), "--exit-idle-time=-1"]
    words += ["--daemonize=no", "--use-pid-file=no", "--realtime=no", "--high-priority=no"]
    environment = Room(folder, None).environment  # type: ignore[arg-type]  # not started yet
    with (folder / "pulse.log").open("wb") as log:
        server = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    place = Room(folder, server)
    try:
        assert until(lambda: (folder / "cli").exists() and "microphone" in _sources(place)), (
            folder / "pulse.log"
        ).read_text()
        with _hiss(place):
            yield place
    finally:
        server.send_signal(signal.SIGCONT)
        server.terminate()
        server.wait(10)


@contextmanager
def _hiss(place: Room) -> Iterator[None]:
    words = ["pacat", "--raw", "-d", "room", f"--volume={HISS}", f"--rate={HEARING_HZ}"]
    words += ["--channels=1", "--latency-msec=50", "/dev/urandom"]
    hiss = subprocess.Popen(words, env=place.environment)
    try:
        yield
    finally:
        hiss.terminate()
        hiss.wait(10)


def _sources(place: Room) -> str:
    try:
        return place.order("list-sources")
    except OSError:
        return ""


def _furnish(folder: Path) -> None:
    script = [
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native",
        f"load-module module-cli-protocol-unix socket={folder}/cli",
        PARTS["sink"].format("room"),
        PARTS["sink"].format("loudspeaker"),
        PARTS["microphone"],
        "set-default-sink loudspeaker",
        "set-default-source microphone",
    ]
    (folder / "room.pa").write_text("\n".join((*script, "")))
    server = f'server "unix:{folder}/native"'
    devices = [
        "</usr/share/alsa/alsa.conf>",
        f'pcm.{MICROPHONE} {{ type pulse {server} device "microphone" }}',
        f'pcm.{LOUDSPEAKER} {{ type pulse {server} device "loudspeaker" }}',
        f"pcm.!default {{ type pulse {server} }}",
    ]
    (folder / "alsa.conf").write_text("\n".join((*devices, "")))
