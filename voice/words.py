"""What was heard -> what was meant: pure, by likeness of sound to the phrases of a file.

    guesses -> likeness to every near phrase -> the best of each intent -> Understood

Unclear unless sure. A call for help is taken early, since the hub asks back before it raises an
alarm; `Fine`, which ends a worry, only when nothing else is near.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from voice.jamo import sounds, weight
from voice.phrases import Expecting, Intent, Phrase, Phrases

__all__ = ["Evidence", "Expecting", "Guess", "Intent", "Understood", "understand"]


class Guess(Struct, frozen=True):
    """One way to write down what was heard; `log_prob` is the mean per token (0 is certain)."""

    text: str
    log_prob: float = 0.0


class Evidence(Struct, frozen=True):
    """What the engines made of an utterance.

    `guesses`: best first. `no_speech`: 0..1. `spotted`: 0..1, how surely the spotter heard a call
    for help. `strong`: whether an engine wrote it down that Fine may rest on.
    """

    guesses: tuple[Guess, ...] = ()
    no_speech: float = 0.0
    spotted: float = 0.0
    strong: bool = True


class Understood(Struct, frozen=True):
    """What was meant. `what`: a key such as head; `score`: 0..3 of OFTEN; `sure`: 0..1."""

    intent: Intent = Intent.UNCLEAR
    what: str = ""
    score: int = 0
    sure: float = 0.0


class Limits(Struct, frozen=True):
    """How sure one must be: the likeness needed, and by how much it must lead all other meanings."""

    likeness: float
    lead: float = 0.0


LIMITS = {
    Intent.HELP: Limits(0.70, -0.02),
    Intent.FINE: Limits(0.80, 0.08),
    Intent.YES: Limits(0.66, 0.03),
    Intent.NO: Limits(0.66, 0.03),
    Intent.CANCEL: Limits(0.70, 0.0),
    Intent.OFTEN: Limits(0.75, 0.06),
}
OTHERWISE = Limits(0.72, 0.02)
UNASKED = {Intent.FINE, Intent.YES, Intent.NO}  # mean something only as answers
NEAREST = 6  # phrases of each intent looked at closely, per guess
DOUBT = 0.20  # what a guess loses for each unit of log-probability behind the best
STRAY = 0.10  # what an answer loses that nobody asked for: it only competes
LEAD, TAIL = 0.45, 0.7  # what counts of the sounds before and after a phrase


class Likeness(Struct, frozen=True):
    """How well a phrase explains what was heard: 1 at best."""

    value: float
    phrase: Phrase


def understand(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> Understood:
    """Say what was meant, UNCLEAR unless sure. `keen` lowers what a call for help needs."""
    best = likenesses(evidence, phrases, expecting)
    for intent in sorted(best, key=lambda one: -best[one].value):
        found = best[intent]
        if intent is Intent.UNCLEAR:
            break
        if _sure(intent, best, evidence, keen):
            entry = found.phrase.entry
            if expecting is Expecting.NOTHING and (intent in UNASKED or entry.after):
                break
            return Understood(intent, entry.what, entry.score, round(max(0.0, found.value), 3))
    return Understood()


def _sure(intent: Intent, best: dict[Intent, Likeness], evidence: Evidence, keen: float) -> bool:
    limits = LIMITS.get(intent, OTHERWISE)
    value = best[intent].value
    if intent is Intent.HELP:
        value += keen + 0.1 * evidence.spotted
    if intent is Intent.FINE and not (evidence.strong and evidence.no_speech < 0.6):  # noqa: PLR2004
        return False
    others = max((found.value for other, found in best.items() if other is not intent), default=0.0)
    return value >= limits.likeness and value - others >= limits.lead


def likenesses(
    evidence: Evidence, phrases: Phrases, expecting: Expecting
) -> dict[Intent, Likeness]:
    """Give the best phrase of each intent over all guesses."""
    best: dict[Intent, Likeness] = {}
    first = max((guess.log_prob for guess in evidence.guesses), default=0.0)
    for guess in evidence.guesses:
        loss = DOUBT * (first - guess.log_prob)
        for found in _matches(guess.text, phrases, expecting):
            intent, value = found.phrase.entry.intent, found.value - loss
            if found.phrase.entry.after and expecting is Expecting.NOTHING:
                value -= STRAY
            if intent not in best or value > best[intent].value:
                best[intent] = Likeness(value, found.phrase)
    return best


def _matches(text: str, phrases: Phrases, expecting: Expecting) -> Iterator[Likeness]:
    groups = [
        (intent, after)
        for intent, after in phrases.groups
        if not after or expecting in after or expecting is Expecting.NOTHING
    ]
    for heard in _readings(text, phrases.fillers):
        total = weight(heard)
        rows = phrases.table.nearest(heard, groups, NEAREST)
        for row, fit in zip(rows, phrases.table.fit(rows, heard), strict=True):
            phrase = phrases.all[row]
            lost = fit.cost + LEAD * fit.lead + TAIL * fit.tail
            yield Likeness(1 - lost / max(phrase.weight, total), phrase)


def _readings(text: str, fillers: frozenset[str]) -> Iterable[str]:
    """Give the sounds of a text, and those without words that say nothing, or said twice."""
    words = text.split()
    bare = [word for word in words if sounds(word) not in fillers] or words
    return dict.fromkeys(filter(None, (sounds(" ".join(w)) for w in (words, bare, _once(bare)))))


def _once(words: list[str]) -> list[str]:
    """Fold what is said two or more times over: 네 네 네, 도와주세요 도와주세요."""
    for size in range(1, len(words) // 2 + 1):
        if all(words[n] == words[n % size] for n in range(len(words))):
            return words[:size]
    return words
