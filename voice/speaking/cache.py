"""The cache: sentences that were said before, as WAV files in a folder of bounded size.

The folder lies on a RAM disk or with the hub's state. A full or read-only disk costs only time: the
sentence is synthesised again.
"""

from contextlib import suppress
from pathlib import Path

from voice.sound.pcm import SPEECH_HZ, Audio
from voice.sound.wav import read_wav, write_wav
from voice.speaking.mouth import fingerprint

MOST_BYTES = 16_000_000  # five minutes of speech: a few weeks of announcements


class Cache:
    """Keeps sound by its sentence; removes first what was not used for longest."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes

    def find(self, text: str) -> Audio | None:
        """Return the sound of `text`; None where there is none that can be read."""
        path = self._path(text)
        audio = read_wav(path)
        if audio is None or audio.rate_hz != SPEECH_HZ or not audio.pcm:
            return None
        with suppress(OSError):
            path.touch()
        return audio

    def keep(self, text: str, audio: Audio) -> None:
        """Keep `audio`, and remove what is beyond the bound."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            half = self._path(text).with_suffix(".part")
            write_wav(half, audio)
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
