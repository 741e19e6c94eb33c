"""A county's own recordings: each is examined before it is stored in its bank folder.

The sentences for what is wrong are in `messages/mouth.*.toml`, [flaw]; nothing wrong is stored.
"""

from enum import StrEnum
from pathlib import Path

from hub.shared.files import to_disk
from voice.korean.hangul import is_hangul
from voice.korean.pronounce import pronounce
from voice.recording.build import Built, add_to_bank
from voice.sound.loudness import levelled, measured, trimmed
from voice.sound.pcm import Audio
from voice.speaking.bank import file_name

QUIETEST_DB = -40.0  # below it, levelling raises the noise of the room too
FASTEST, SLOWEST = 6.0, 1.0  # syllables a second; old people follow four well
SHORTEST_S, LONGEST_S = 0.3, 60.0
CLIPPED = 20  # samples at full scale that nobody hears


class Fault(StrEnum):
    """What is wrong with a recording."""

    EMPTY = "empty"
    QUIET = "quiet"
    CLIPPED = "clipped"
    FAST = "fast"
    SLOW = "slow"
    LONG = "long"
    MUTED = "muted"  # from here on only of a take at the microphone
    NOISY = "noisy"
    EARLY = "early"
    CUT = "cut"
    GAPS = "gaps"


def fault(text: str, recording: Audio) -> Fault | None:
    """Return what is wrong with a recording of `text`; None where nothing is."""
    loudness = measured(recording)
    seconds = trimmed(recording).seconds
    syllables = _syllables(text)
    if seconds < SHORTEST_S:
        return Fault.EMPTY
    if loudness.clipped > CLIPPED:
        return Fault.CLIPPED
    if loudness.speech_db < QUIETEST_DB:
        return Fault.QUIET
    if seconds > LONGEST_S:
        return Fault.LONG
    if syllables > FASTEST * seconds:
        return Fault.FAST
    if syllables < SLOWEST * seconds - 1:
        return Fault.SLOW
    return None


def longest_s(text: str) -> float:
    """Return the seconds that a sentence may last."""
    return min(LONGEST_S, (_syllables(text) + 1) / SLOWEST)


def polished(recording: Audio) -> Audio:
    """Return a recording as residents will hear it: trimmed, at the common loudness."""
    return levelled(trimmed(recording))


def store(folder: Path, text: str, recording: Audio, speaker: str) -> None:
    """Store a good recording in a county's bank, synced to the disk. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    add_to_bank(folder, Built(text, " ".join(speaker.split()), "", 0.0, polished(recording)))
    for path in (folder / file_name(text), folder):  # the index is there already
        to_disk(path)


def _syllables(text: str) -> int:
    return sum(map(is_hangul, pronounce(text)))
