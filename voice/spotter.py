"""A cheap listener for a few phrases, as sound comes in: Vosk with a grammar. The door to vosk.

The Korean model has no word for "something else": with a grammar *any* sound comes back as one of
its phrases. So the grammar also holds everyday syllables, which soak up what is none of them.
Only the grammar's own words are loaded, not the model's 500,000 and their statistics: 370 MB
instead of 530, in 1 s instead of 3.6.
"""

import json
import mmap
import struct
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import vosk
from msgspec import Meta, Struct

from voice.models import Model, ModelError, Why
from voice.phrases import Phrases
from voice.words import Guess

RATE_HZ = 16000
SYMBOLS = struct.pack("<i", 2125658996)  # begins a table of words in OpenFst's files
ALWAYS = ("<eps>", "!SIL", "#0", "<s>", "</s>")


class Spotted(Struct, frozen=True):
    """`voice/spotter.toml`: what is listened for, as the model's own words, and what soaks up."""

    phrases: Annotated[tuple[str, ...], Meta(min_length=1)]
    others: tuple[str, ...] = ()


class _Word(Struct, frozen=True):
    word: str
    conf: float = 0.0


class _Result(Struct, frozen=True):
    result: tuple[_Word, ...] = ()


class Spotter:
    """Listens for phrases; `begin`, `take` and `end` from one thread."""

    name = "vosk"

    def __init__(self, folder: Path, phrases: Phrases) -> None:
        """Load the model (1 s). Raises ModelError."""
        del phrases
        text = files("voice").joinpath("spotter.toml").read_text(encoding="utf-8")
        self._grammar = msgspec.convert(tomllib.loads(text), Spotted)
        vosk.SetLogLevel(-1)
        wanted = {
            word for say in (*self._grammar.phrases, *self._grammar.others) for word in say.split()
        }
        try:
            with TemporaryDirectory() as lean:
                _lean(folder, Path(lean), wanted)
                model = vosk.Model(lean)
        except Exception as error:  # vosk raises Exception itself
            raise ModelError(Model.VOSK, Why.DAMAGED, str(error)[:200]) from error
        grammar = json.dumps([*self._grammar.phrases, *self._grammar.others], ensure_ascii=False)
        self._recogniser = vosk.KaldiRecognizer(model, RATE_HZ, grammar)
        self._recogniser.SetWords(enable_words=True)
        self._words: list[_Word] = []

    def begin(self) -> None:
        """Begin a new utterance."""
        self._recogniser.Reset()
        self._words = []

    def take(self, pcm: bytes) -> None:
        """Hear some more of it."""
        if self._recogniser.AcceptWaveform(pcm):
            self._words += _words(self._recogniser.Result())

    def end(self) -> tuple[Guess, ...]:
        """Give what was heard of the phrases; nothing where all was soaked up."""
        words = [*self._words, *_words(self._recogniser.FinalResult())]
        self._words = []
        return tuple(_found(words, self._grammar.phrases))


def _found(words: list[_Word], phrases: tuple[str, ...]) -> Iterator[Guess]:
    told = f" {' '.join(word.word for word in words)} "
    for phrase in phrases:
        if f" {phrase} " in told:
            yield Guess(phrase, 0.0)


def _words(result: str) -> tuple[_Word, ...]:
    return msgspec.json.decode(result, type=_Result).result


def _lean(folder: Path, lean: Path, wanted: set[str]) -> None:
    """Lay out a model that has only the `wanted` words."""
    for path in folder.rglob("*"):
        place = lean / path.relative_to(folder)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif path.name != "Gr.fst":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
    keep = wanted.union(ALWAYS)
    table = [
        f"{word} {number}\n" for word, number in _symbols(folder / "graph/Gr.fst") if word in keep
    ]
    (lean / "graph/words.txt").write_text("".join(table), encoding="utf-8")


def _symbols(path: Path) -> Iterator[tuple[str, int]]:
    """Read the words of a model and their numbers, one by one: the file is large."""
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(SYMBOLS) + 4
        at += 4 + struct.unpack_from("<i", data, at)[0] + 8
        (count,) = struct.unpack_from("<q", data, at)
        at += 8
        for _ in range(count):
            (length,) = struct.unpack_from("<i", data, at)
            word = data[at + 4 : at + 4 + length].decode()
            (number,) = struct.unpack_from("<q", data, at + 4 + length)
            yield word, number
            at += 12 + length
