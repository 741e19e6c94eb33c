"""Recordings of answers and calls, to learn from: only where the resident agrees (`keep_audio`).

A folder of WAV files, and a manifest like that of our test recordings.
"""

import time
import wave
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from voice.sound.microphone import RATE_HZ
from voice.understanding.understand import Expecting, Intent, Understood

MOST_BYTES = 200_000_000  # two hours of speech; then nothing more is kept until they are fetched
KEPT, NAME = "recordings", "manifest.jsonl"


class Kept(Struct, frozen=True):
    """One line of the manifest: what it was understood as, and after which kind of question."""

    file: str
    kind: str
    asked: str
    seconds: float
    sure: float


def keep(folder: Path, pcm: bytes, expecting: Expecting, understood: Understood) -> None:
    """Keep 16 kHz mono sound, but not what was not meant for us; a full disk is no error."""
    if expecting is Expecting.NOTHING and understood.intent is Intent.UNCLEAR:
        return
    seconds = round(len(pcm) / 2 / RATE_HZ, 2)
    name = f"{time.time_ns()}.wav"
    line = Kept(name, str(understood.intent), str(expecting), seconds, understood.sure)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if sum(file.stat().st_size for file in folder.glob("*.wav")) > MOST_BYTES:
            return
        with wave.open(str(folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(pcm)
        with (folder / NAME).open("ab") as manifest:
            manifest.write(msgspec.json.encode(line) + b"\n")
