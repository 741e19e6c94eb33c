"""Filling the phrase bank: of several ways to say a sentence the one understood best is kept.

One voice speaks everything; the ways differ only in speed and in single letters, so that a resident
hears one person. The judge is a recogniser that does not know the text.
"""

from collections.abc import Callable, Iterable, Iterator
from math import inf
from pathlib import Path

from msgspec import Struct

from voice.korean.sounds import error_rate
from voice.sound.loudness import levelled, trimmed
from voice.sound.pcm import Audio
from voice.speaking.bank import INDEX, Entry, file_name, read_index, write_index, write_sound
from voice.speaking.mouth import MouthError

Judge = Callable[[Audio], str]
Speaks = Callable[[str], Audio]


class Way(Struct, frozen=True):
    """One way to say a sentence; `made` is its name in the index; `speak` raises MouthError."""

    made: str
    speak: Speaks


class Built(Struct, frozen=True):
    """A sentence that was spoken; `error` is the share of syllables that were misheard."""

    text: str
    made: str
    heard: str
    error: float
    audio: Audio


class Gaps(Struct, frozen=True):
    """The sentences that a bank lacks, and the files that no sentence needs any more."""

    missing: tuple[str, ...]
    orphaned: tuple[str, ...]


def gaps(folder: Path, texts: Iterable[str]) -> Gaps:
    """Compare a folder with the sentences that it should have."""
    wanted = {file_name(text): text for text in texts}
    there = {path.name for path in folder.glob("*.ogg")}
    missing = tuple(text for name, text in wanted.items() if name not in there)
    return Gaps(missing, tuple(sorted(there - wanted.keys())))


def build(folder: Path, texts: Iterable[str], ways: Iterable[Way], judge: Judge) -> Iterator[Built]:
    """Say all `texts` in one way, what was misheard in the next, the worst first; keep the best.

    Yields each sentence when it is kept, so that an interrupted build leaves a usable bank. Raises
    OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    best: dict[str, float] = dict.fromkeys(texts, inf)
    for way in ways:
        misheard = sorted((t for t, error in best.items() if error > 0), key=best.__getitem__)
        for text in reversed(misheard):
            built = spoken(text, way, judge)
            if built is not None and built.error < best[text]:
                best[text] = built.error
                add_to_bank(folder, built)
                yield built


def spoken(text: str, way: Way, judge: Judge) -> Built | None:
    """Say a text in one way, and have it judged; None where it cannot be said so."""
    try:
        audio = levelled(trimmed(way.speak(text)))
    except MouthError:
        return None
    heard = judge(audio)
    return Built(text, way.made, heard, error_rate(text, heard), audio)


def add_to_bank(folder: Path, built: Built) -> None:
    """Write one sentence into a bank and its index. Raises OSError."""
    write_sound(folder / file_name(built.text), built.audio)
    entry = Entry(built.text, built.made, " ".join(built.heard.split()))
    write_index(folder, {**read_index(folder), file_name(built.text): entry})


def prune(folder: Path, texts: Iterable[str]) -> tuple[str, ...]:
    """Remove the files that no sentence needs; return their names. Raises OSError."""
    orphaned = gaps(folder, texts).orphaned
    for name in orphaned:
        (folder / name).unlink(missing_ok=True)
    if (folder / INDEX).exists():
        kept = {name: e for name, e in read_index(folder).items() if (folder / name).exists()}
        write_index(folder, kept)
    return orphaned
