"""Sentences that were said before, as WAV files in a folder that cannot grow beyond its bound.

The folder lies on a RAM disk or with the hub's state. A full or read-only disk costs time, no more:
the sentence is made again.
"""

import wave
from contextlib import suppress
from pathlib import Path

from voice.sound.pcm import Audio
from voice.speaking.mouth import RATE_HZ, fingerprint

MOST_BYTES = 16_000_000  # five minutes of speech: a few weeks of announcements


class Cache:
    """Keeps sound by its sentence; what was not wanted for longest goes first."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes

    def find(self, text: str) -> Audio | None:
        """Give the sound of `text`; None where there is none that can be read."""
        path = self._path(text)
        try:
            with wave.open(str(path)) as file:
                good = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                pcm = file.readframes(file.getnframes())
        except (OSError, wave.Error, EOFError):
            return None
        if good != (1, 2, RATE_HZ) or not pcm:
            return None
        with suppress(OSError):
            path.touch()
        return Audio(pcm, RATE_HZ)

    def keep(self, text: str, audio: Audio) -> None:
        """Keep `audio`, and let go of what is too much."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            half = self._path(text).with_suffix(".part")
            with wave.open(str(half), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(audio.rate_hz)
                file.writeframes(audio.pcm)
            half.replace(self._path(text))
            self._shrink()

    def _path(self, text: str) -> Path:
        return self._folder / f"{fingerprint(text)}.wav"

    def _shrink(self) -> None:
        files = sorted(self._folder.glob("*.wav"), key=lambda path: path.stat().st_mtime_ns)
        sizes = [path.stat().st_size for path in files]
        for path, size in zip(files, sizes[:], strict=True):
            if sum(sizes) <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            sizes.remove(size)
