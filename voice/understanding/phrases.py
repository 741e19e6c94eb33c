"""The phrases that are understood, read from a file: `voice/phrases/ko.toml` -> `Phrases`.

    [[phrases]]  intent = "help"  what = "fall"  say = ["(넘어졌|쓰러졌)어요"]

`(a|b|)` stands for each of its alternatives. A mistake is reported with its file and line.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from hub.shared.files import shipped_file
from hub.shared.settings import Mistake, Problem, SettingsError, read
from hub.shared.toml_lines import locate
from voice.korean.hangul import is_hangul
from voice.korean.sounds import Table, sounds, sounds_of, weight
from voice.understanding import signs
from voice.understanding.intents import Expecting, Intent

GROUP = re.compile(r"\(([^()]*)\)")
JOINED = re.compile(r" (줘|주(?!말|무))")  # 도와 줘 is most often written 도와줘, and so recognised
LEFT_OVER = re.compile(r"[()|]")
MOST = 4000  # variants of one sentence; more would be a mistake
Say = Annotated[str, Meta(min_length=1, max_length=400)]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """Phrases that mean the same; with `after`, only as an answer to these questions.

    Those of intent `unclear` sound like others and mean nothing to the hub.
    """

    intent: Intent
    say: Annotated[tuple[Say, ...], Meta(min_length=1)]
    what: Annotated[str, Meta(max_length=40)] = ""
    score: Annotated[int, Meta(ge=0, le=3)] = 0
    after: tuple[Expecting, ...] = ()

    def answers_just(self, expecting: Expecting) -> bool:
        """Whether it answers exactly this question, not all of its kind."""
        return expecting is not expecting.kind and expecting in self.after


class Turns(Struct, frozen=True, forbid_unknown_fields=True):
    """What reverses a sentence: whole words, and parts that may stand anywhere in it."""

    words: tuple[Say, ...] = ()
    parts: tuple[Say, ...] = ()

    def within(self, text: str) -> frozenset[str]:
        """Return those that a text has."""
        return frozenset(
            {one for one in self.words if one in text.split()}
            | {one for one in self.parts if one in text}
        )


class _File(Struct, frozen=True):
    phrases: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    fillers: tuple[Say, ...] = ()
    always: dict[Expecting, tuple[Say, ...]] = {}
    brief: dict[Expecting, tuple[Say, ...]] = {}
    against: dict[Intent, tuple[Say, ...]] = {}
    turns: dict[Intent, Turns] = {}


class Phrase(Struct, frozen=True):
    """One sentence with its sounds and their weight; or two of them, `joined`."""

    text: str
    sounds: str
    weight: float
    entry: Entry
    joined: bool = False


Texts: TypeAlias = tuple[str, ...]
Group: TypeAlias = tuple[Intent, tuple[Expecting, ...]]


class Phrases(Struct, frozen=True, eq=False):
    """All phrases, and a table to compare texts with them.

    Some texts are weighed whatever was guessed: `always`; `brief`, where little was said; `against`
    a meaning, which is not believed where the sound fits one of them nearly as well. `turns`: what
    must not be heard besides a phrase of a meaning. `signs`: of danger, always the product's own.
    """

    all: tuple[Phrase, ...]
    table: Table
    groups: tuple[Group, ...]
    named: dict[str, tuple[Phrase, ...]]
    always: dict[Expecting, Texts]
    brief: dict[Expecting, Texts]
    against: dict[Intent, Texts]
    fillers: frozenset[str]
    turns: dict[Intent, Turns]
    signs: signs.Signs

    def after(self, expecting: Expecting, table: dict[Expecting, Texts]) -> tuple[Phrase, ...]:
        """Return the phrases of `always` or `brief` that belong to a question, or to its kind."""
        return tuple(
            phrase
            for kind in dict.fromkeys((expecting.kind, expecting))
            for text in table.get(kind, ())
            for phrase in self.named[text]
            if not phrase.entry.after or kind in phrase.entry.after
        )


def load(text: str | None = None, filename: str = "voice/phrases/ko.toml") -> Phrases:
    """Return the phrases of a TOML text (without one: the product's own).

    Raises SettingsError with every mistake in it: an unknown intent, an open bracket, no Hangul.
    """
    if text is None:
        text = shipped_file("voice", "phrases/ko.toml").read_text(encoding="utf-8")
    told = read(text, filename, _File)
    said: list[tuple[str, Entry]] = []
    mistakes: list[Mistake] = []
    for number, entry in enumerate(told.phrases):
        for place, say in enumerate(entry.say):
            variants = [*_variants(say)]
            if why := _wrong(variants):
                line = locate(text)["phrases", number, "say", place]
                key = f"phrases[{number + 1}].say[{place + 1}]"
                mistakes.append(Mistake(filename, line, key, Problem.INVALID, detail=why))
            said += [(one, entry) for one in variants]
    if mistakes:
        raise SettingsError(tuple(mistakes))
    every = _different(said)
    fillers = frozenset(sounds(filler) for filler in told.fillers)
    groups = [(phrase.entry.intent, phrase.entry.after) for phrase in every]
    table = Table([phrase.sounds for phrase in every], groups)
    texts = {text for kind in (told.always, told.brief) for some in kind.values() for text in some}
    named = {text: tuple(one for one in every if one.text == text) for text in texts}
    return Phrases(
        every, table, tuple(dict.fromkeys(groups)), named, told.always, told.brief, told.against,
        fillers, told.turns, signs.load(),
    )  # fmt: skip


def _different(said: list[tuple[str, Entry]]) -> tuple[Phrase, ...]:
    """Return the phrases without those that sound the same."""
    found: dict[tuple[str, tuple[Expecting, ...]], Phrase] = {}
    heard = sounds_of([text for text, _ in said])
    for (text, entry), sound in zip(said, heard, strict=True):
        found.setdefault((sound, entry.after), Phrase(text, sound, weight(sound), entry))
    return tuple(found.values())


def _variants(say: str) -> Iterator[str]:
    parts = [part.split("|") if odd else [part] for odd, part in _parts(say)]
    for chosen in itertools.islice(itertools.product(*parts), MOST + 1):
        yield JOINED.sub(r"\1", " ".join("".join(chosen).split()))


def _parts(say: str) -> Iterator[tuple[bool, str]]:
    for number, part in enumerate(GROUP.split(say)):
        yield bool(number % 2), part


def _wrong(said: list[str]) -> str:
    if len(said) > MOST:
        return f"more than {MOST} variants"
    if any(LEFT_OVER.search(one) for one in said):
        return "brackets do not match"
    return "" if all(any(map(is_hangul, one)) for one in said) else "no Hangul in it"
