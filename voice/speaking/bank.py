"""The phrase bank: a folder of Ogg Opus files, each the sound of one sentence, named by its hash.

A county's own recordings are in a folder that goes before the product's. `index.tsv` beside the
files tells people and `anbu voice bank` which sentence is which; speaking does not need it.
"""

import errno
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
from msgspec import Struct

from hub.shared.decoding import UndecodableError, decode
from hub.shared.files import shipped_file, write_whole
from hub.shared.language import Language
from hub.shared.messages import messages
from voice.korean.sentences import sentences, tidy
from voice.sound.pcm import SPEECH_HZ, Audio, from_pcm, resampled, to_pcm
from voice.speaking.mouth import fingerprint

SHIPPED = Path(__file__).resolve().parents[1] / "bank" / "ko"
INDEX = "index.tsv"
SMALL = 0.91  # libsndfile's Opus compression: some 4 KB a second, nobody hears the difference
HANGUL = re.compile("[가-힣]")
WHOLE = re.compile(r"\{heard\}")  # a gap that is filled with whole sentences
GAP = re.compile(r"\{\w*\}")


class Entry(Struct, frozen=True):
    """One line of the index: `made` names the voice; `heard` is what the judge understood."""

    text: str
    made: str
    heard: str


class Bank:
    """Finds the sound of sentences in folders, the first before the next."""

    def __init__(self, folders: Sequence[Path] = (SHIPPED,)) -> None:
        self._folders = tuple(folders)

    def find(self, text: str) -> Audio | None:
        """Return the sound of one sentence at 24 kHz; None where it is missing or damaged."""
        for folder in self._folders:
            try:
                return read_sound(folder / file_name(text))
            except OSError:
                continue
        return None


def file_name(text: str) -> str:
    """Return the name of the file with the sound of a sentence."""
    return f"{fingerprint(tidy(text))}.ogg"


def read_sound(path: Path) -> Audio:
    """Read any sound file as 24 kHz mono. Raises OSError for one that cannot be read."""
    try:
        samples, rate_hz = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise OSError(str(path)) from error
    pcm = to_pcm(np.asarray(samples.mean(axis=1), np.float32))
    return Audio(resampled(pcm, int(rate_hz), SPEECH_HZ), SPEECH_HZ)


def write_sound(path: Path, audio: Audio) -> None:
    """Write Ogg Opus. Raises OSError."""
    half = path.with_suffix(".part")
    try:
        soundfile.write(
            str(half), from_pcm(audio.pcm), audio.rate_hz,
            format="OGG", subtype="OPUS", compression_level=SMALL,
        )  # fmt: skip
    except soundfile.SoundFileError as error:
        raise OSError(str(path)) from error
    half.replace(path)


def read_index(folder: Path) -> dict[str, Entry]:
    """Return file name -> entry; {} where a folder has no index. Raises OSError."""
    path = folder / INDEX
    try:
        lines = decode(path.read_bytes()).text.splitlines()
    except FileNotFoundError:
        return {}
    except UndecodableError as error:
        raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ), str(path)) from error
    rows = [line.split("\t") for line in lines if line.count("\t") == len(Entry.__struct_fields__)]
    return {name: Entry(*entry) for name, *entry in rows}


def write_index(folder: Path, index: dict[str, Entry]) -> None:
    """Write the index, sorted by sentence; after a crash the old one is there. Raises OSError."""
    rows = sorted(index.items(), key=lambda item: item[1].text)
    lines = (f"{name}\t{e.text}\t{e.made}\t{e.heard}\n" for name, e in rows)
    write_whole(folder / INDEX, "".join(lines).encode())


def fixed_sentences() -> list[str]:
    """Return the product's fixed sentences, each once, always in the same order."""
    return list(dict.fromkeys(s for text in _texts() for s in fixed(text)))


def fixed(text: str) -> list[str]:
    """Return the sentences of one text that have no gap."""
    return [tidy(s) for s in sentences(WHOLE.sub("\n", text)) if not GAP.search(s)]


def _texts() -> Iterator[str]:
    yield from _strings(messages("hub", Language.KOREAN, "hub")["say"])
    yield from _strings(messages("voice", Language.KOREAN)["say"])
    plans = shipped_file("voice", "plans/ko").iterdir()
    for plan in sorted(plans, key=lambda file: file.name):
        if plan.name.endswith(".toml"):
            yield from _strings(tomllib.loads(plan.read_text(encoding="utf-8")))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if HANGUL.search(value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
