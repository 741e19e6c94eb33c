"""The talks that the voice can hold, by the key of the hub's question.

    voice/plans/ko/*.toml -> form (`plan_files`) -> sense (`plan_check`) -> Plans | PlanError

A county's folder goes first: its file replaces the product's for the same key, its texts likewise.
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
    Common,
    Flaw,
    Folder,
    PlanFile,
    Question,
    common_of,
    gather,
)
from voice.understanding.intents import Intent, Understood

SHIPPED = Path(__file__).resolve().parents[1] / "plans" / "ko"


class PlanError(ValueError):
    """Plans that cannot be used: `mistakes` of form, `flaws` of sense."""

    def __init__(self, mistakes: tuple[Mistake, ...], found: tuple[Flaw, ...]) -> None:
        super().__init__("\n".join(map(str, (*mistakes, *found))))
        self.mistakes, self.flaws = mistakes, found


class Plan(Struct, frozen=True):
    """A talk that can begin; `text` is the hub's own first question."""

    key: str
    text: str
    steps: dict[str, Question]
    common: Common
    chime: bool = True

    def asks(self, step: str) -> str:
        """Return the text of a step's question."""
        return self.steps[step].ask or self.text


class Plans(Struct, frozen=True):
    """All talks, and what they have in common."""

    plans: dict[str, Plan]
    common: Common

    @classmethod
    def load(cls, *folders: Path) -> Self:
        """Read folders, the first before the next, the product's own when there is none.

        Raises PlanError with every mistake, or OSError. A county's folder stands before `SHIPPED`;
        where it cannot be used, `load()` still returns the product's.
        """
        sources, mistakes = gather(*(folders or (SHIPPED,)))
        found = flaws(sources)
        if mistakes or found:
            raise PlanError(mistakes, found)
        return cls.of(sources)

    @classmethod
    def of(cls, folders: tuple[Folder, ...]) -> Self:
        """Join what the folders say, unchecked."""
        common, plans = common_of(folders), dict[str, Plan]()
        for source in (source for folder in reversed(folders) for source in folder):
            if isinstance(file := source.says, PlanFile):
                steps = {**common.step, **file.step}
                plans |= {key: Plan(key, "", steps, common, file.chime) for key in file.answers}
        return cls(plans, common)

    def for_key(self, key: str, text: str) -> Plan:
        """Return the talk that the hub's question `key` begins; without a plan, one question."""
        plan = self.plans.get(key)
        if plan is None:
            return Plan(key, text, {START: _one_question(self.common)}, self.common)
        return replace(plan, text=text)

    def sentences(self) -> tuple[str, ...]:
        """Return all sentences that talks may say, cut as `Speak` cuts them: for a phrase bank."""
        steps = [step for plan in self.plans.values() for step in plan.steps.values()]
        said = [*self.common.said(), *(step.ask for step in steps)]
        said += [part for step in steps for on in step.on for part in spoken(on.say, "")]
        return tuple(dict.fromkeys(filter(None, said)))


def spoken(say: str, back: str) -> list[str]:
    """Cut a sentence around `{heard}`, which becomes `back`: each part may be in a bank."""
    parts = (back if part == HEARD else part.strip() for part in re.split(r"(\{heard\})", say))
    return [part for part in parts if part]


def heard_as(understood: Understood) -> tuple[str, ...]:
    """Return the names that branches have for what was heard, the finest first."""
    intent = str(understood.intent)
    finer = str(understood.score) if understood.intent is Intent.OFTEN else understood.what
    return (f"{intent}:{finer}", intent) if finer else (intent,)


def _one_question(common: Common) -> Question:
    """Return the talk of a single question about how things are, where "yes" is good news."""
    good = Branch((Intent.FINE, Intent.YES), common.thanks, Meaning.FINE)
    return Question((good, Branch((Intent.NO,), common.unwell, Meaning.NO)))
