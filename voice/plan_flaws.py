"""A flaw of a plan as data: where it stands, what it is, what would be right.

The sentences for people are in `voice/messages/plans.*.toml`.
"""

from enum import StrEnum

from msgspec import Struct

from hub.shared.settings import close_to
from hub.shared.toml_lines import Path, line_of, locate
from voice.dialogue.plan_files import PlanFile, Question, Source, Words


class Kind(StrEnum):
    """What is wrong. `allowed` then holds what the comment says."""

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
        """Say it for a log; people get a sentence in their language."""
        return f"{self.file}:{self.line}: {self.key}: {self.kind} {', '.join(self.allowed)}"


class Sheet(Struct, frozen=True):
    """A file under examination, with the words and the steps that its talk can use."""

    source: Source
    words: Words
    lines: dict[Path, int]

    @property
    def own(self) -> dict[str, Question]:
        """Give the steps that stand in this file."""
        return self.source.says.step

    @property
    def steps(self) -> dict[str, Question]:
        """Give all steps that its talk can go to."""
        return {**self.words.step, **self.own}

    @property
    def plan(self) -> PlanFile | None:
        """Give the plan; the words that all share are none."""
        return self.source.says if isinstance(self.source.says, PlanFile) else None

    def flaw(self, path: Path, kind: Kind, allowed: tuple[str, ...] = (), wrong: str = "") -> Flaw:
        """Note a flaw at `path`; `wrong` is the word for which another one may have been meant."""
        parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
        key = "".join(parts).removeprefix(".")
        meant = close_to(wrong, allowed) if wrong else ""
        return Flaw(self.source.file, line_of(self.lines, path), key, kind, allowed, meant)


def sheet(source: Source, words: Words) -> Sheet:
    """Lay a file on the table."""
    return Sheet(source, words, locate(source.text))
