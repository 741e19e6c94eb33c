"""Plan files: what they may say, reading a folder of them, and the flaws that a check may find.

One file is one talk; `common.toml` holds the texts and the questions that all talks share.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from hub.contract.forms import Form, of
from hub.contract.voice import Meaning
from hub.shared.settings import Mistake, Noted, SettingsError, close_to, read, text_of, unnoted
from hub.shared.toml_lines import Path as KeyPath
from hub.shared.toml_lines import line_of, locate
from voice.understanding.intents import Expecting, Intent

COMMON = "common.toml"
START = "start"  # each talk begins with this question
HELP = "help"  # in `then`: the hub asks whether help is needed, and calls for it on silence
SILENCE = "silence"  # in `heard`
HEARD = "{heard}"  # in `say`: what was understood, said back
OTHER = "other"  # in `[heard]`: said back where nothing more is known

Listening = Annotated[float, Meta(ge=3, le=30)]  # seconds; an old person needs some to answer
Key = Annotated[str, of(Form.WORD, "^[a-z][a-z0-9_]{0,39}$")]
What = Annotated[str, of(Form.WORD, "^[a-z_]{0,40}$")]


class Branch(Struct, frozen=True, forbid_unknown_fields=True):
    """What follows when one of `heard` was heard: `say` it back, `tell` the hub, `then` ask on.

    `heard` holds intents, finer ones such as `unwell:head` or `often:3`, and `silence`.
    """

    heard: Annotated[tuple[str, ...], Meta(min_length=1)]
    say: str = ""
    tell: Meaning | None = None
    what: What = ""  # told in place of what was heard
    then: str = ""  # a step, or `help`; empty: the talk ends


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """One step: `ask` (in the first: in place of the hub's own text), and listen for `listen_s`.

    `again` is how often it is asked anew after silence or an unclear answer.
    """

    on: Annotated[tuple[Branch, ...], Meta(min_length=1)]
    ask: str = ""
    expect: Expecting = Expecting.CHECKIN
    listen_s: Listening = 10.0
    again: Annotated[int, Meta(ge=0, le=1)] = 1

    def branch(self, *heard: str) -> Branch | None:
        """Return the branch of the first of `heard` that has one: name the finest first."""
        known = {one: branch for branch in self.on for one in branch.heard}
        return next((known[one] for one in heard if one in known), None)


class PlanFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of one talk; `answers` are the keys of the hub's questions."""

    answers: Annotated[tuple[Key, ...], Meta(min_length=1)]
    step: dict[str, Question]
    chime: bool = True


class Common(Struct, frozen=True, forbid_unknown_fields=True):
    """`common.toml`: what every talk may say. Where a county has no text, the product's counts."""

    not_understood: str = ""
    slower: str = ""
    louder: str = ""
    no_answer: str = ""
    enough: str = ""
    unwell: str = ""
    thanks: str = ""
    cancel: str = ""
    urgent: tuple[str, ...] = ()  # ills after which the hub asks at once whether help is needed
    heard: dict[str, str] = field(default_factory=dict)  # ill -> the sentence that says it back
    step: dict[str, Question] = field(default_factory=dict)

    def over(self, below: Self) -> Self:
        """Return these texts, and those of `below` where there are none."""
        mine = {
            name: getattr(self, name) or getattr(below, name) for name in self.__struct_fields__
        }
        merged = {"heard": {**below.heard, **self.heard}, "step": {**below.step, **self.step}}
        return replace(self, **{**mine, **merged})

    def branch(self, intent: Intent) -> Branch | None:
        """Return the branch of any talk whose plan has none for `intent`."""
        match intent:
            case Intent.UNWELL:
                return Branch((intent,), f"{HEARD} {self.unwell}", Meaning.UNWELL)
            case Intent.CANCEL:
                return Branch((intent,), self.cancel, Meaning.CANCEL)
            case _:
                return None

    def said(self) -> tuple[str, ...]:
        """Return the sentences that belong to no question."""
        texts = (getattr(self, name) for name in self.__struct_fields__)
        return (*(text for text in texts if isinstance(text, str)), *self.heard.values())


class Source(Struct, frozen=True):
    """A file: its text, so that a check can name lines, and what it says."""

    file: str
    text: str
    says: PlanFile | Common


Folder = tuple[Source, ...]


def gather(
    *folders: Path, noted: Noted = unnoted
) -> tuple[tuple[Folder, ...], tuple[Mistake, ...]]:
    """Read the files of folders; return those of the right form, and the mistakes of the others.

    Raises OSError where a file cannot be read. `noted` is told of files in an old encoding.
    """
    mistakes: list[Mistake] = []
    return tuple(_sources(folder, mistakes, noted) for folder in folders), tuple(mistakes)


def common_of(folders: tuple[Folder, ...]) -> Common:
    """Return the common texts of all folders; the first folder's count before the next's."""
    common = Common()
    for source in (source for folder in folders for source in folder):
        if isinstance(source.says, Common):
            common = common.over(source.says)
    return common


def _sources(folder: Path, mistakes: list[Mistake], noted: Noted) -> Folder:
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix != ".toml":
            continue
        try:
            text = text_of(path.read_bytes(), str(path), noted)
            says = _read(path, text)
        except SettingsError as error:
            mistakes += error.mistakes
        else:
            found.append(Source(str(path), text, says))
    return tuple(found)


def _read(path: Path, text: str) -> PlanFile | Common:
    if path.name == COMMON:
        return read(text, str(path), Common)
    return read(text, str(path), PlanFile)


class Kind(StrEnum):
    """What is wrong. The comment says what `allowed` holds then."""

    UNKNOWN_KEY = "unknown_key"  # the hub's questions
    KEY_TWICE = "key_twice"  # the file that has it already
    UNKNOWN_HEARD = "unknown_heard"  # what a branch may wait for
    UNKNOWN_WHAT = "unknown_what"  # the ills that there are words for
    HEARD_TWICE = "heard_twice"  # nothing
    UNKNOWN_STEP = "unknown_step"  # the steps there are
    NO_START = "no_start"  # nothing
    UNREACHABLE = "unreachable"  # nothing
    LOOP = "loop"  # the steps of the loop
    UNTOLD = "untold"  # nothing
    NOT_FINE = "not_fine"  # what was heard, and is no good news
    UNWELL_UNTOLD = "unwell_untold"  # nothing
    GUESSED = "guessed"  # what may be told
    MISSING = "missing"  # what must have a branch
    TOO_LONG = "too_long"  # the sentence and its syllables
    PLACEHOLDER = "placeholder"  # those there are
    NO_QUESTION = "no_question"  # nothing
    HELP_SPEAKS = "help_speaks"  # nothing
    NO_LISTENING = "no_listening"  # what may be expected


class Flaw(Struct, frozen=True):
    """One flaw; `key` is dotted and counts branches from 1, such as `step.start.on[2].then`."""

    file: str
    line: int
    key: str
    kind: Kind
    allowed: tuple[str, ...] = ()
    did_you_mean: str = ""

    def __str__(self) -> str:
        """Return it for a log; people get a sentence in their language."""
        return f"{self.file}:{self.line}: {self.key}: {self.kind} {', '.join(self.allowed)}"


class Sheet(Struct, frozen=True):
    """A file under examination, with the texts and the steps that its talk can use."""

    source: Source
    common: Common
    lines: dict[KeyPath, int]

    @property
    def own(self) -> dict[str, Question]:
        """The steps of this file."""
        return self.source.says.step

    @property
    def steps(self) -> dict[str, Question]:
        """All steps that its talk can go to."""
        return {**self.common.step, **self.own}

    @property
    def plan(self) -> PlanFile | None:
        """The plan; None for the common file."""
        return self.source.says if isinstance(self.source.says, PlanFile) else None

    def flaw(
        self, path: KeyPath, kind: Kind, allowed: tuple[str, ...] = (), wrong: str = ""
    ) -> Flaw:
        """Return a flaw at `path`; `wrong` is a word that may stand for one of `allowed`."""
        parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
        key = "".join(parts).removeprefix(".")
        meant = close_to(wrong, allowed) if wrong else ""
        return Flaw(self.source.file, line_of(self.lines, path), key, kind, allowed, meant)


def sheet(source: Source, common: Common) -> Sheet:
    """Return a file, ready for its examination."""
    return Sheet(source, common, locate(source.text))
