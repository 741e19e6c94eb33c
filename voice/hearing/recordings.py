"""Recordings of answers and calls, to learn from: only where the resident agrees (`keep_audio`).

A folder of WAV files, and a manifest like that of our test recordings.
"""

import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from voice.sound.pcm import HEARING_HZ, Audio
from voice.sound.wav import write_wav
from voice.understanding.intents import Expecting, Intent, Understood

MOST_BYTES = 200_000_000  # two hours of speech; more is not kept until these are fetched
FOLDER, MANIFEST = "recordings", "manifest.jsonl"


class Recording(Struct, frozen=True):
    """One line of the manifest: what it was understood as, and after which kind of question."""

    file: str
    kind: str
    asked: str
    seconds: float
    sure: float


def save(folder: Path, pcm: bytes, expecting: Expecting, understood: Understood) -> None:
    """Save 16 kHz mono sound, except what was not meant for us; a full disk is no error."""
    if expecting is Expecting.NOTHING and understood.intent is Intent.UNCLEAR:
        return
    audio, name = Audio(pcm, HEARING_HZ), f"{time.time_ns()}.wav"
    intent, seconds = str(understood.intent), round(audio.seconds, 2)
    recording = Recording(name, intent, str(expecting), seconds, understood.sure)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if sum(file.stat().st_size for file in folder.glob("*.wav")) > MOST_BYTES:
            return
        write_wav(folder / name, audio)
        with (folder / MANIFEST).open("ab") as manifest:
            manifest.write(msgspec.json.encode(recording) + b"\n")
