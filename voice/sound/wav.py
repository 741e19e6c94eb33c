"""WAV files of 16-bit mono sound: the cache of spoken sentences and the kept recordings."""

import wave
from pathlib import Path

from voice.sound.pcm import Audio


def read_wav(path: Path) -> Audio | None:
    """Return the sound of a file; None where it is missing, damaged or not 16-bit mono."""
    try:
        with wave.open(str(path)) as file:
            mono = (file.getnchannels(), file.getsampwidth()) == (1, 2)
            audio = Audio(file.readframes(file.getnframes()), file.getframerate())
    except (OSError, wave.Error, EOFError):
        return None
    return audio if mono else None


def write_wav(path: Path, audio: Audio) -> None:
    """Write the sound to a file. Raises OSError."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.rate_hz)
        file.writeframes(audio.pcm)
