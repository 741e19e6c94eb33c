"""The first pass: Vosk with a grammar, as sound comes in. The only module that imports vosk.

The Korean model has no word for "something else": with a grammar *any* sound comes back as one of
its phrases. So the grammar also holds everyday syllables, and what comes back is near enough to
what was said to be compared by sound. Only the grammar's own words are loaded, not the model's
500,000 and their statistics: 370 MB instead of 530, in 1 s instead of 3.6.
"""

import json
import mmap
import struct
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import vosk
from msgspec import Meta, Struct

from hub.shared.files import shipped_file
from hub.shared.models import Why
from voice.hearing.models import Model, ModelError
from voice.sound.pcm import HEARING_HZ
from voice.understanding.intents import Intent
from voice.understanding.likeness import Guess
from voice.understanding.phrases import Phrases

SYMBOLS = struct.pack("<i", 2125658996)  # begins a table of words in OpenFst's files
NOTHING = b"".join((  # a transducer of one state, in OpenFst's binary form, for the statistics
    struct.pack("<ii6si8s", 2125659606, 6, b"vector", 8, b"standard"),
    struct.pack("<iiQqqqfq", 2, 0, 3, 0, 1, 0, 0.0, 0),
))  # fmt: skip
ALWAYS = ("<eps>", "!SIL", "#0", "<s>", "</s>")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    others: Annotated[str, Meta(min_length=1)]


class _Result(Struct, frozen=True):
    text: str = ""


class Spotter:
    """Writes down what it hears with a small vocabulary; to be called from one thread."""

    name = "vosk"

    def __init__(self, folder: Path, phrases: Phrases) -> None:
        """Load the model and the words that some of the phrases need (2 s). Raises ModelError."""
        text = shipped_file("voice", "spotter.toml").read_text(encoding="utf-8")
        others = msgspec.convert(tomllib.loads(text), _File).others.split()
        said = [*_sample(phrases)]
        vosk.SetLogLevel(-1)
        try:
            known = dict(_known(folder / "graph/Gr.fst", _pieces(said).union(others, ALWAYS)))
            grammar = [*filter(None, (_segmented(one, known) for one in said)), *others]
            with TemporaryDirectory() as lean:
                _lean(folder, Path(lean), known, {word for one in grammar for word in one.split()})
                model = vosk.Model(lean)
        except Exception as error:  # vosk raises Exception itself
            raise ModelError(Model.VOSK, Why.DAMAGED, str(error)[:200]) from error
        told = json.dumps(list(dict.fromkeys(grammar)), ensure_ascii=False)
        self._recogniser = vosk.KaldiRecognizer(model, HEARING_HZ, told)
        self._heard: list[str] = []

    def begin(self) -> None:
        """Begin a new utterance."""
        self._recogniser.Reset()
        self._heard = []

    def take_sound(self, pcm: bytes) -> None:
        """Hear some more of it."""
        if self._recogniser.AcceptWaveform(pcm):
            self._heard.append(_text(self._recogniser.Result()))

    def end(self) -> tuple[Guess, ...]:
        """Return what was heard, within 0.2 s; empty where it was nothing."""
        heard = " ".join([*self._heard, _text(self._recogniser.FinalResult())]).strip()
        self._heard = []
        return (Guess(heard),) if heard else ()


def _text(result: str) -> str:
    return msgspec.json.decode(result, type=_Result).text


def _sample(phrases: Phrases) -> Iterator[str]:
    """Yield some phrases of each kind, and more of those that call for help."""
    yield from dict.fromkeys(text for texts in phrases.always.values() for text in texts)
    for entry, alike in groupby(phrases.all, key=lambda phrase: phrase.entry):
        texts = [phrase.text for phrase in alike]
        many = {Intent.HELP: 60, Intent.UNCLEAR: 0}.get(entry.intent, 15)
        yield from texts[:: max(1, len(texts) // many)] if many else ()


def _pieces(texts: Iterable[str]) -> set[str]:
    """Return all pieces that a word of these texts could be put together from."""
    words = {word for text in texts for word in text.split()}
    return {
        word[start:end]
        for word in words
        for start in range(len(word))
        for end in range(start + 1, len(word) + 1)
    }


def _segmented(text: str, known: Mapping[str, int]) -> str:
    """Write a text with as few words of the model as possible; empty if that is impossible."""
    told: list[str] = []
    for word in text.split():
        best: dict[int, list[str]] = {0: []}
        for start, end in combinations(range(len(word) + 1), 2):
            if start in best and word[start:end] in known:
                better = [*best[start], word[start:end]]
                if end not in best or len(better) < len(best[end]):
                    best[end] = better
        if len(word) not in best:
            return ""
        told += best[len(word)]
    return " ".join(told)


def _lean(folder: Path, lean: Path, known: Mapping[str, int], wanted: set[str]) -> None:
    """Lay out a model that has only the `wanted` words."""
    for path in folder.rglob("*"):
        place = lean / path.relative_to(folder)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif path.name != "Gr.fst":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
    table = (f"{word} {known[word]}\n" for word in sorted({*ALWAYS, *wanted}) if word in known)
    (lean / "graph/words.txt").write_text("".join(table), encoding="utf-8")
    (lean / "graph/Gr.fst").write_bytes(NOTHING)


def _known(path: Path, asked: set[str]) -> Iterator[tuple[str, int]]:
    """Return those of the words asked for that the model knows, with their numbers."""
    return ((word, number) for word, number in _symbols(path) if word in asked)


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
