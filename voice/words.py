"""What was heard -> what was meant: pure, by likeness of sound to the phrases of a file.

    guesses -> likeness to every near phrase -> the best of each intent -> Understood

Unclear unless sure. A call for help is taken early, since the hub asks back before it raises an
alarm; `Fine`, which ends a worry, only when nothing else is near. What ends a worry or a call
rests on strong evidence alone.
"""

from msgspec import Struct

from voice.likeness import Evidence, Guess, Likeness, explains, likenesses
from voice.limits import ALONE, BY_LIKENESS, BY_WEIGHT, NONE, REFUTED, Ease, Limits, decide, ends
from voice.phrases import Expecting, Intent, Phrase, Phrases, Turns
from voice.weighing import EXACT, Best, beaten, opposed, shortlist, weighed

__all__ = [
    "Evidence", "Expecting", "Guess", "Intent", "Understood", "contested", "shortlist",
    "understand",
]  # fmt: skip


class Understood(Struct, frozen=True):
    """What was meant. `what`: a key such as head; `score`: 0..3 of OFTEN; `sure`: 0..1."""

    intent: Intent = Intent.UNCLEAR
    what: str = ""
    score: int = 0
    sure: float = 0.0


UNASKED = {Intent.FINE, Intent.YES, Intent.NO}  # mean something only as answers
# The chance that nobody spoke, above which it ends nothing. Of 24 who said that all is well, half
# of them in noise of 10 dB, one had more than 0.27; babble that was taken for it had 0.36.
SILENT = {Intent.FINE: 0.3, Intent.CANCEL: 0.3, Intent.NO: 0.45}
WHOLE = 0.7  # of what was said that FINE must be: before 좋아요 there may be "속이 안"
# Of what was said that must take a call back, unasked: of 28 who took one back in their own words
# none had less than 0.48; of "열두 명이 실종됐습니다", which ends in 됐습니다, it is 0.3.
MAIN = 0.45
PLAIN = -1.3  # log-probability of the best guess; of those 24 none had less than -1.23
TOLD = -0.8  # a guess in which a sign of danger is believed
WELL_HEARD, STANDS = -0.6, Limits(0.76, 0.02)  # a call among other words, by likeness alone
# Guesses, and the chance that nobody spoke, that make one doubt it was speech: a call needs more.
POOR, DOUBTED = -1.0, 0.3  # both: at 3 steps more one clear 살려주세요 in babble is missed
MUDDLE = 2.0
NOISE, UNLIKELY = -1.4, 0.5  # either, one step: of 128 calls 4 were so, none was lost by it
CROWD, IN_CROWD = 0.3, 2.0  # `Evidence.around` of what does not stand out: so many steps more


def understand(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> Understood:
    """Say what was meant, UNCLEAR unless sure.

    `keen` lowers what a call for help needs: 1 is the usual distance between two steps.
    """
    danger = _danger(evidence, phrases, expecting) if keen >= 0.0 else None
    if danger is not None:
        return Understood(Intent.HELP, danger, sure=0.5)
    understood = _by_phrases(evidence, phrases, expecting, keen)
    if understood.intent is Intent.UNCLEAR and expecting.kind is Expecting.CHECKIN:
        told = (phrases.signs.ailment(guess.text) for guess in _plain(evidence))
        ailment = next((what for what in told if what is not None), None)
        return Understood(Intent.UNWELL, ailment, sure=0.5) if ailment else understood
    return understood


def _by_phrases(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, keen: float
) -> Understood:
    found = _found(evidence, phrases, expecting, keen)
    if found is None or found.phrase.entry.intent is Intent.UNCLEAR:
        return Understood()
    entry = found.phrase.entry
    if _is_turned(found.phrase, evidence, phrases):
        return Understood()
    if ends(entry.intent, expecting) and not _may_end(found.phrase, evidence, phrases, expecting):
        return Understood()
    if expecting is Expecting.NOTHING and (entry.intent in UNASKED or entry.after):
        return Understood()
    by_weight = evidence.weighed and found.value <= 0.0
    scale = BY_WEIGHT if by_weight else BY_LIKENESS
    lowest = scale.of(entry.intent).value
    sure = 0.5 + 0.5 * min(1.0, max(0.0, (found.value - lowest) / (scale.top - lowest)))
    return Understood(entry.intent, entry.what, entry.score, round(sure, 3))


def contested(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> tuple[str, ...]:
    """Give what else must be weighed before that is believed which ends a worry or a call."""
    found = _found(evidence, phrases, expecting, 0.0)
    if found is None or not ends(found.phrase.entry.intent, expecting):
        return ()
    return opposed(evidence, phrases, found.phrase)


def _found(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, keen: float
) -> Likeness | None:
    """Give the phrase that decides, and how well it explains what was heard."""
    every = likenesses(evidence, phrases, expecting)
    alike = {intent: found[0] for intent, found in every.items()}
    doubt = _doubt(evidence)
    crowd = expecting is Expecting.NOTHING and evidence.around >= CROWD
    if crowd and not doubt and _calls_plainly(evidence, phrases):
        crowd = False  # 도와주세요 sounds like 또 와주세요, and no lead would be enough
    ease = Ease(keen - doubt, -IN_CROWD if crowd else 0.0)
    if not evidence.weighed:
        return decide(alike, BY_LIKENESS, ease, expecting)
    best = weighed(evidence, phrases, expecting, every)
    none = NONE if evidence.no_speech > DOUBTED else ALONE
    found = decide(best, BY_WEIGHT, ease, expecting, none)
    if found is not None or not best or doubt or crowd:
        return found
    found = decide(alike, BY_LIKENESS, ease, expecting)
    if found is None or ends(found.phrase.entry.intent, expecting):
        return None
    first = max(best, key=lambda intent: best[intent].value)
    borne_out = found.phrase.entry.intent is first and best[first].value > REFUTED
    return found if borne_out or _stands_there(found, alike, evidence) else None


def _calls_plainly(evidence: Evidence, phrases: Phrases) -> bool:
    """Tell whether the best guess is just what a call is."""
    best = max(evidence.guesses, key=lambda guess: guess.log_prob, default=Guess(""))
    alike = likenesses(Evidence((best,)), phrases, Expecting.NOTHING)
    first = max((found[0] for found in alike.values()), key=lambda one: one.value, default=None)
    return first is not None and first.phrase.entry.intent is Intent.HELP and first.value >= EXACT


def _stands_there(found: Likeness, alike: Best, evidence: Evidence) -> bool:
    """Tell whether a call stands in words plainly heard, though no phrase explains all of them."""
    others = [one.value for intent, one in alike.items() if intent is not Intent.HELP]
    heard = max((guess.log_prob for guess in evidence.guesses), default=-99.0)
    return (
        found.phrase.entry.intent is Intent.HELP
        and not found.phrase.joined
        and heard > WELL_HEARD
        and evidence.no_speech <= DOUBTED
        and found.value >= STANDS.value
        and found.value - max(others, default=0.0) >= STANDS.lead
    )


def _plain(evidence: Evidence) -> tuple[Guess, ...]:
    """Give the guesses that are good enough for a sign to be believed."""
    if not evidence.strong or evidence.no_speech > DOUBTED:
        return ()
    return tuple(guess for guess in evidence.guesses if guess.log_prob > TOLD)


def _danger(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> str | None:
    """Give what danger was told of, in words plainly heard that no phrase says otherwise."""
    if expecting is Expecting.NOTHING and evidence.around >= CROWD:
        return None
    plain = _plain(evidence)
    told = (phrases.signs.danger(guess.text) for guess in plain)
    danger = next((what for what in told if what is not None), None)
    if danger is None or any(phrases.signs.is_elsewhere(guess.text) for guess in plain):
        return None
    every = likenesses(Evidence(plain), phrases, expecting)
    others = (found[0].value for intent, found in every.items() if intent is not Intent.HELP)
    return danger if max(others, default=0.0) < EXACT else None


def _may_end(
    phrase: Phrase, evidence: Evidence, phrases: Phrases, expecting: Expecting
) -> bool:  # fmt: skip
    """Tell whether a worry or a call may end by this: well heard, and nothing speaks against it."""
    intent = phrase.entry.intent
    if not evidence.strong or evidence.no_speech >= SILENT[intent]:
        return False
    plain = max((guess.log_prob for guess in evidence.guesses), default=-99.0) > PLAIN
    if not plain and (intent is Intent.FINE or expecting is Expecting.NOTHING):
        return False  # 살려 주세요 over a kettle was once 됐어요
    unasked = MAIN if expecting is Expecting.NOTHING else 0.0
    least = WHOLE if intent is Intent.FINE else unasked
    if explains(phrase, evidence, phrases) < least:
        return False
    return not beaten(evidence, phrases, phrase)


def _is_turned(phrase: Phrase, evidence: Evidence, phrases: Phrases) -> bool:
    """Tell whether a word was heard that turns it round: 안, 못, 좋았으면."""
    best = max(evidence.guesses, key=lambda guess: guess.log_prob, default=Guess(""))
    turns = phrases.turns.get(phrase.entry.intent, Turns())
    return not turns.within(best.text) <= turns.within(phrase.text)


def _doubt(evidence: Evidence) -> float:
    """Give how many steps more a call needs where one doubts that this was speech, or any words."""
    best = max((guess.log_prob for guess in evidence.guesses), default=0.0)
    if best < POOR and evidence.no_speech > DOUBTED:
        return MUDDLE
    return 1.0 if best < NOISE or evidence.no_speech > UNLIKELY else 0.0
