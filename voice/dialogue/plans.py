"""The talks that the voice can hold, by the key of the hub's question.

    voice/plans/ko/*.toml -> form (`plan_files`) -> sense (`plan_rules`) -> Plans | PlanError

A county's folder goes first: its file replaces the product's for the same key, its words likewise.
"""

import re
from pathlib import Path
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.voice import Meaning
from hub.shared.settings import Mistake
from voice.dialogue.plan_check import flaws
from voice.dialogue.plan_files import (
    HEARD,
    START,
    Branch,
    Flaw,
    Folder,
    PlanFile,
    Question,
    Words,
    common,
    gather,
)
from voice.understanding.understand import Intent, Understood

SHIPPED = Path(__file__).resolve().parents[1] / "plans" / "ko"


class PlanError(ValueError):
    """Plans that cannot be used: `mistakes` of form, `flaws` of sense."""

    def __init__(self, mistakes: tuple[Mistake, ...], found: tuple[Flaw, ...]) -> None:
        super().__init__("\n".join(map(str, (*mistakes, *found))))
        self.mistakes, self.flaws = mistakes, found


class Plan(Struct, frozen=True):
    """A talk that can begin: `text` are the hub's words for the first question."""

    key: str
    text: str
    steps: dict[str, Question]
    words: Words
    chime: bool = True

    def asks(self, step: str) -> str:
        """Give the words of a step's question."""
        return self.steps[step].ask or self.text


class Plans(Struct, frozen=True):
    """All talks there are."""

    plans: dict[str, Plan]
    words: Words

    @classmethod
    def load(cls, *folders: Path) -> Self:
        """Read folders, the first before the next, the product's own when there is none.

        Raises PlanError with all that is wrong, or OSError. A county's folder stands before
        `SHIPPED`; where it cannot be used, `load()` still gives the product's.
        """
        sources, mistakes = gather(*(folders or (SHIPPED,)))
        found = flaws(sources)
        if mistakes or found:
            raise PlanError(mistakes, found)
        return cls.of(sources)

    @classmethod
    def of(cls, folders: tuple[Folder, ...]) -> Self:
        """Put together what the folders say, without judging it."""
        words, plans = common(folders), dict[str, Plan]()
        for source in (source for folder in reversed(folders) for source in folder):
            if isinstance(file := source.says, PlanFile):
                steps = {**words.step, **file.step}
                plans |= {key: Plan(key, "", steps, words, file.chime) for key in file.answers}
        return cls(plans, words)

    def for_key(self, key: str, text: str) -> Plan:
        """Give the talk that the hub's question `key` begins; without a file, just `text`."""
        plan = self.plans.get(key)
        if plan is None:
            return Plan(key, text, {START: _one(self.words)}, self.words)
        return replace(plan, text=text)

    def sentences(self) -> tuple[str, ...]:
        """Name all that a talk may say in words of its own, as `Speak` does: for a phrase bank."""
        steps = [step for plan in self.plans.values() for step in plan.steps.values()]
        said = [*self.words.said(), *(step.ask for step in steps)]
        said += [part for step in steps for on in step.on for part in spoken(on.say, "")]
        return tuple(dict.fromkeys(filter(None, said)))


def spoken(say: str, back: str) -> list[str]:
    """Cut a sentence around `{heard}`, which becomes `back`: each part may stand in a bank."""
    parts = (back if part == HEARD else part.strip() for part in re.split(r"(\{heard\})", say))
    return [part for part in parts if part]


def heard_as(understood: Understood) -> tuple[str, ...]:
    """Name what was heard as branches do, the finest first."""
    intent = str(understood.intent)
    finer = str(understood.score) if understood.intent is Intent.OFTEN else understood.what
    return (f"{intent}:{finer}", intent) if finer else (intent,)


def _one(words: Words) -> Question:
    """Give one question about how things are, put so that "yes" is good news."""
    good = Branch((Intent.FINE, Intent.YES), words.thanks, Meaning.FINE)
    return Question((good, Branch((Intent.NO,), words.unwell, Meaning.NO)))
