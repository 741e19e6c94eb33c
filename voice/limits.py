"""How sure one must be of each meaning: the best phrase of each -> the one that counts, or none."""

from collections.abc import Mapping

from msgspec import Struct

from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Likeness
from voice.understanding.weighing import Best

ENDS = {Intent.FINE, Intent.CANCEL}  # end a worry: never from weak evidence
ENDS_CALL = frozenset(ENDS | {Intent.NO})  # "도움이 필요하세요?" "아니요": there they mean the same
ALONE, NONE = -99.0, -12.0  # what a meaning leads that is alone; and where speech is doubted
REFUTED = -15.0  # nats below which neither a lead nor likeness makes a phrase believed


class Limits(Struct, frozen=True):
    """How sure one must be: the value needed, and by how much it must lead all other meanings."""

    value: float
    lead: float = 0.0
    clear: float = 99.0  # a lead that is enough for nearly every value


class Scale(Struct, frozen=True):
    """What is needed on one scale: `top` is its best value, a `step` a usual distance on it."""

    step: float
    top: float
    limits: Mapping[Intent, Limits]

    def of(self, intent: Intent) -> Limits:
        """Give what a meaning needs."""
        return self.limits.get(intent, self.limits[Intent.UNCLEAR])


# 1 is the same sounds.
BY_LIKENESS = Scale(0.06, 1.0, {
    Intent.HELP: Limits(0.74, -0.02),
    Intent.FINE: Limits(0.82, 0.08),
    Intent.YES: Limits(0.70, 0.03),
    Intent.NO: Limits(0.70, 0.03),
    Intent.CANCEL: Limits(0.74, 0.03),
    Intent.OFTEN: Limits(0.75, 0.06),
    Intent.UNCLEAR: Limits(0.76, 0.02),  # all others
})  # fmt: skip
# By how much less likely the sound is under the phrase than under the best guess, in nats.
BY_WEIGHT = Scale(2.0, 0.0, {
    Intent.HELP: Limits(-8.0, -1.5, 4.0),
    Intent.FINE: Limits(-6.5, 1.5),
    Intent.YES: Limits(-7.0, 1.0),
    Intent.NO: Limits(-7.0, 1.0),
    Intent.CANCEL: Limits(-8.0, 1.5),
    Intent.OFTEN: Limits(-6.0, 1.0),
    Intent.UNCLEAR: Limits(-7.0, 0.5),  # all others
})  # fmt: skip


class Ease(Struct, frozen=True):
    """How many steps less a call for help needs, and any meaning; below 0: how many more."""

    call: float = 0.0
    any: float = 0.0

    def of(self, intent: Intent) -> float:
        """Give the steps for a meaning."""
        return self.any + (self.call if intent is Intent.HELP else 0.0)


def decide(
    best: Best, scale: Scale, ease: Ease, expecting: Expecting, none: float = ALONE
) -> Likeness | None:
    """Give the best phrase of the meaning that is sure; `none`: what one leads that is alone."""
    allied = ENDS_CALL if expecting is Expecting.HELP else frozenset()
    sure = list[Intent]()
    for intent in sorted(best, key=lambda one: -best[one].value):
        against = {key for key in best if key is not intent and not {key, intent} <= allied}
        other = max((best[key].value for key in against), default=none)
        if _is_sure(intent, best[intent].value, other, scale, ease):
            sure.append(intent)
    if not sure:
        return None
    same = [intent for intent in sure if {intent, sure[0]} <= allied] or sure[:1]
    return max((best[intent] for intent in same), key=lambda one: one.phrase.weight)


def ends(intent: Intent, expecting: Expecting) -> bool:
    """Tell whether this would end a worry or a call."""
    return intent in (ENDS_CALL if expecting is Expecting.HELP else ENDS)


def _is_sure(intent: Intent, value: float, other: float, scale: Scale, ease: Ease) -> bool:
    limit = scale.of(intent)
    value += scale.step * ease.of(intent)
    lead = value - other
    clear = lead >= limit.clear and value > REFUTED and ease.any >= 0.0
    return lead >= limit.lead and (value >= limit.value or clear)
