"""A real voice process in the room of sound, and a stand-in for the hub at the other end."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TypeVar

import soundfile

from hub.contract.voice import Fact, Order, decode, encode
from tests.layout import REPO
from tests.voice.room import Room, until
from voice.sound.pcm import HEARING_HZ, to_pcm

SOUNDS = Path(__file__).parent / "sounds"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")  # the models are put there
F = TypeVar("F", bound=Fact)


def recording(name: str) -> bytes:
    """Return a sentence that a resident might say, with half a second of silence before it."""
    samples, rate_hz = soundfile.read(SOUNDS / f"{name}.ogg", dtype="float32")
    assert rate_hz == HEARING_HZ
    return bytes(HEARING_HZ) + to_pcm(samples)


class StandIn:
    """Stands in for the hub: it keeps all facts and sends orders."""

    def __init__(self, path: Path) -> None:
        self.facts: list[Fact] = []
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def order(self, order: Order) -> None:
        """Send an order to the voice."""
        assert self._line is not None
        self._line.sendall(encode(order))

    def all(self, kind: type[F]) -> list[F]:
        """Return all facts of a kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def wait(
        self, kind: type[F], right: Callable[[F], bool] = lambda _: True, within_s: float = 30
    ) -> F:
        """Wait for a fact; it may have come already."""
        assert until(lambda: any(map(right, self.all(kind))), within_s), self.facts
        return next(filter(right, self.all(kind)))

    def close(self) -> None:
        """Hang up."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        if self._line is not None:
            self._line.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            self._line = line
            with line.makefile("rb") as lines:
                for fact in lines:
                    self.facts.append(decode(fact))  # type: ignore[arg-type]  # no orders


class Voice:
    """A voice process and the room that it is in."""

    def __init__(self, place: Room, folder: Path, **environment: str) -> None:
        self.place = place
        config = folder / "voice.toml"
        config.write_text(
            'socket = "voice.sock"\nstate_dir = "."\ncache_dir = "cache"\nsilent_s = 3\n'
            'microphone = "microphone"\nloudspeaker = "loudspeaker"\nvolume_pct = 100\n'
            "threads = 1\nnight_volume_pct = 100\n",
            encoding="utf-8",
        )
        words = [sys.executable, "-m", "hub", "voice", "--config", str(config), "run"]
        given = place.environment | {"XDG_CACHE_HOME": str(CACHE), **environment}
        self.begun = monotonic()
        self.log = folder / "voice.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, env=given, cwd=REPO, stderr=log)

    def hears(self, name: str) -> None:
        """Play what a resident says, to its end."""
        self.place.say(recording(name))

    def end(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@contextmanager
def voice(place: Room, folder: Path, **environment: str) -> Iterator[tuple[Voice, StandIn]]:
    """Start a voice and its hub."""
    hub = StandIn(folder / "voice.sock")
    process = Voice(place, folder, **environment)
    try:
        yield process, hub
    finally:
        process.end()
        hub.close()
