"""What was heard -> what was meant: pure, by likeness of sound to the phrases of a file.

    guesses -> likeness to every near phrase -> the best of each intent -> Understood

Unclear unless sure. A call for help is taken early, since the hub asks back before it raises an
alarm; `Fine`, which ends a worry, only when nothing else is near. What ends a worry or a call
rests on strong evidence alone.
"""

from collections.abc import Mapping

from msgspec import Struct

from voice.jamo import sounds, weight
from voice.likeness import Evidence, Guess, Likeness, likenesses
from voice.phrases import Expecting, Intent, Phrases

__all__ = ["Evidence", "Expecting", "Guess", "Intent", "Understood", "shortlist", "understand"]


class Understood(Struct, frozen=True):
    """What was meant. `what`: a key such as head; `score`: 0..3 of OFTEN; `sure`: 0..1."""

    intent: Intent = Intent.UNCLEAR
    what: str = ""
    score: int = 0
    sure: float = 0.0


class Limits(Struct, frozen=True):
    """How sure one must be: the value needed, and by how much it must lead all other meanings."""

    value: float
    lead: float = 0.0
    clear: float = 99.0  # a lead that is enough for nearly every value


# By likeness alone (1 is the same sounds).
BY_LIKENESS = {
    Intent.HELP: Limits(0.74, -0.02),
    Intent.FINE: Limits(0.82, 0.08),
    Intent.YES: Limits(0.70, 0.03),
    Intent.NO: Limits(0.70, 0.03),
    Intent.CANCEL: Limits(0.74, 0.03),
    Intent.OFTEN: Limits(0.75, 0.06),
    Intent.UNCLEAR: Limits(0.76, 0.02),  # all others
}
# By how much less likely the sound is under the phrase than under the best guess, in nats.
BY_WEIGHT = {
    Intent.HELP: Limits(-8.0, -1.5, 4.0),
    Intent.FINE: Limits(-6.5, 1.5),
    Intent.YES: Limits(-7.0, 1.0),
    Intent.NO: Limits(-7.0, 1.0),
    Intent.CANCEL: Limits(-8.0, 1.5),
    Intent.OFTEN: Limits(-6.0, 1.0),
    Intent.UNCLEAR: Limits(-7.0, 0.5),  # all others
}
UNASKED = {Intent.FINE, Intent.YES, Intent.NO}  # mean something only as answers
ENDS = {Intent.FINE, Intent.CANCEL}  # end a worry: never from weak evidence
ENDS_CALL = ENDS | {Intent.NO}  # "도움이 필요하세요?" "아니요"
UNLIKE = 12.0  # nats that a phrase loses which is all unlike the guesses
WORTH_WEIGHING = 0.5  # likeness below which a phrase is not weighed
EACH, MOST = 2, 8  # phrases weighed: of one intent, in all
EXACT, FAR = 0.96, 0.12  # likeness that needs no weighing, and its lead
NEAR_FIRST = 0.25  # likeness behind the best at which a meaning is still weighed
HALF = 0.5  # likeness below which a phrase that is always weighed is not believed
BELIEVABLE = 0.62  # and any other: a short phrase would else explain a long sentence
REFUTED = -15.0  # nats below which neither a lead nor likeness makes a phrase believed
SILENT = 0.6  # chance that nobody spoke, above which nothing ends a worry
POOR, DOUBTED = -1.0, 0.3  # guesses and chance of no speech that make one doubt it was speech:
MUDDLE = 2.0  # steps that a call then needs more; at 3 one clear 살려주세요 in babble is missed

Best = dict[Intent, Likeness]


def shortlist(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> tuple[str, ...]:
    """Give the texts that are worth weighing against the sound: best guesses, nearest phrases."""
    near: list[Likeness] = []
    for found in likenesses(evidence, phrases, expecting).values():
        near += [one for one in found[:EACH] if one.value >= WORTH_WEIGHING]
    near.sort(key=lambda one: -one.value)
    if not near or _plain(near) or (expecting is Expecting.NOTHING and _idle(near)):
        return ()
    guesses = [guess.text for guess in evidence.guesses[:2]]
    always = phrases.always.get(expecting, ())
    return tuple(dict.fromkeys([*guesses, *(one.phrase.text for one in near[:MOST]), *always]))


def _plain(near: list[Likeness]) -> bool:
    """Tell whether likeness alone decides: one meaning is exactly it, and nothing else is near."""
    first = near[0]
    others = (one.value for one in near if one.phrase.entry.intent is not first.phrase.entry.intent)
    return first.value >= EXACT and first.value - max(others, default=0.0) >= FAR


def _idle(near: list[Likeness]) -> bool:
    """Tell whether nothing is near that would count unasked."""
    first = near[0].value
    return not any(
        one.value >= first - NEAR_FIRST
        for one in near
        if one.phrase.entry.intent is not Intent.UNCLEAR and not one.phrase.entry.after
    )


def understand(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> Understood:
    """Say what was meant, UNCLEAR unless sure.

    `keen` lowers what a call for help needs: 1 is the usual distance between two steps.
    """
    keen -= MUDDLE if _muddled(evidence) else 0.0
    every = likenesses(evidence, phrases, expecting)
    alike = {intent: found[0] for intent, found in every.items()}
    if not evidence.weighed:
        return _decide(alike, BY_LIKENESS, evidence, expecting, keen * 0.06)
    weighed = _weighed(evidence, phrases, expecting, every)
    found = _decide(weighed, BY_WEIGHT, evidence, expecting, keen * 2.0)
    if found.intent is not Intent.UNCLEAR or not weighed:
        return found
    found = _decide(alike, BY_LIKENESS, evidence, expecting, keen * 0.06)
    first = max(weighed, key=lambda intent: weighed[intent].value)
    borne_out = found.intent is first and weighed[first].value > REFUTED
    return found if borne_out and found.intent is not Intent.FINE else Understood()


def _muddled(evidence: Evidence) -> bool:
    """Tell whether it is hardly speech at all, as of a television: every guess is a poor one."""
    best = max((guess.log_prob for guess in evidence.guesses), default=0.0)
    return best < POOR and evidence.no_speech > DOUBTED


def _decide(
    best: Best, limits: Mapping[Intent, Limits], evidence: Evidence, expecting: Expecting,
    keen: float,
) -> Understood:  # fmt: skip
    for intent in sorted(best, key=lambda one: -best[one].value):
        if _sure(intent, best, limits, keen):
            return _meant(best[intent], evidence, expecting, limits)
    return Understood()


def _sure(intent: Intent, best: Best, limits: Mapping[Intent, Limits], keen: float) -> bool:
    limit = limits.get(intent, limits[Intent.UNCLEAR])
    value = best[intent].value + (keen if intent is Intent.HELP else 0.0)
    lead = value - max((one.value for key, one in best.items() if key is not intent), default=-99.0)
    return lead >= limit.lead and (
        value >= limit.value or (lead >= limit.clear and value > REFUTED)
    )


def _meant(
    found: Likeness, evidence: Evidence, expecting: Expecting, limits: Mapping[Intent, Limits]
) -> Understood:
    entry = found.phrase.entry
    if entry.intent is Intent.UNCLEAR:
        return Understood()
    if expecting is Expecting.NOTHING and (entry.intent in UNASKED or entry.after):
        return Understood()
    ends = ENDS_CALL if expecting is Expecting.HELP else ENDS
    if entry.intent in ends and not (evidence.strong and evidence.no_speech < SILENT):
        return Understood()
    lowest = limits.get(entry.intent, limits[Intent.UNCLEAR]).value
    top = 0.0 if evidence.weighed else 1.0
    sure = 0.5 + 0.5 * min(1.0, max(0.0, (found.value - lowest) / (top - lowest)))
    return Understood(entry.intent, entry.what, entry.score, round(sure, 3))


def _weighed(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, every: dict[Intent, list[Likeness]]
) -> Best:
    """Give the best phrase of each intent by how likely the sound is under it."""
    weights = evidence.weighed
    free = max(weights.values())
    best: Best = {}
    always = phrases.always.get(expecting, ())
    likely = {found.phrase.text: found for one in every.values() for found in one}
    size = weight(sounds(evidence.guesses[0].text)) if evidence.guesses else 0.0
    for text in always:
        phrase = phrases.by_text[text]
        if text not in likely and phrase.weight / 2 <= size <= phrase.weight * 2:
            likely[text] = Likeness(WORTH_WEIGHING, phrase)
    for text, found in likely.items():
        if text in weights and found.value >= (HALF if text in always else BELIEVABLE):
            intent = found.phrase.entry.intent
            value = weights[text] - free - UNLIKE * (1 - min(1.0, found.value))
            if intent not in best or value > best[intent].value:
                best[intent] = Likeness(value, found.phrase)
    return best
