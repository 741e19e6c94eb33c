"""Likeness: how alike what was written down is to the known phrases, by its sounds alone."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from voice.korean.sounds import Fit, Table, sounds, weight
from voice.understanding.intents import Expecting, Intent
from voice.understanding.phrases import Entry, Group, Phrase, Phrases

NEAREST = 6  # phrases of each intent looked at closely, per guess
DOUBT = 0.20  # what a guess loses per unit of log-probability behind the best
STRAY = 0.10  # what an answer loses that nobody asked for: it can only prevent others
OWN = 0.05  # what an answer to exactly this question gains
LEAD, TAIL = 0.45, 0.7  # the share that counts of the sounds before and after a phrase
SPOTTED = 0.15  # what the spotter's text loses: it hears its own phrases in any sound
CALL, PART = 0.80, 0.72  # likeness of a call that is half of what was said, and of the other half
MOST_WORDS = 8  # in a text that may be two calls


class Guess(Struct, frozen=True):
    """One way to write down what was heard; `log_prob` is the mean per token (0 is certain)."""

    text: str
    log_prob: float = 0.0


class Evidence(Struct, frozen=True):
    """What the engines found in an utterance.

    `guesses`: best first. `no_speech`: 0..1. `strong`: whether it comes from an engine that is good
    enough for FINE. `weighed`: how well the sound fits a text (log-likelihood, 0 is certain), for
    the best guesses and for each text of `shortlist`. `spotted`: what the first pass wrote down.
    `around`: the share (0..1) of the half minute before that was as loud (`voice.hearing.vad`).
    """

    guesses: tuple[Guess, ...] = ()
    no_speech: float = 0.0
    strong: bool = True
    weighed: Mapping[str, float] = {}
    spotted: tuple[Guess, ...] = ()
    around: float = 0.0


class Likeness(Struct, frozen=True):
    """How well a phrase explains what was heard: at best 1, or, where it was weighed, 0 nats."""

    value: float
    phrase: Phrase


def likenesses(
    evidence: Evidence, phrases: Phrases, expecting: Expecting
) -> dict[Intent, list[Likeness]]:
    """Return the phrases of each intent that are most like one of the guesses, best first."""
    return _likenesses(evidence.guesses, evidence.spotted, phrases, expecting)


@lru_cache(maxsize=4)  # one utterance asks for it three times or four, and it takes some 50 ms
def _likenesses(
    guesses: tuple[Guess, ...], spotted: tuple[Guess, ...], phrases: Phrases, expecting: Expecting
) -> dict[Intent, list[Likeness]]:
    best: dict[str, Likeness] = {}
    for guess, loss in _guesses(guesses, spotted):
        matches = _matches(guess.text, phrases, expecting)
        for found in itertools.chain(matches, _in_two(guess.text, phrases)):
            value = found.value - loss
            if found.phrase.entry.after and expecting is Expecting.NOTHING:
                value -= STRAY
            value += OWN * found.phrase.entry.answers_just(expecting)
            text = found.phrase.text
            if text not in best or value > best[text].value:
                best[text] = Likeness(value, found.phrase)
    told: dict[Intent, list[Likeness]] = {}
    for found in sorted(best.values(), key=lambda one: -one.value):
        told.setdefault(found.phrase.entry.intent, []).append(found)
    return told


def _guesses(guesses: Sequence[Guess], spotted: Sequence[Guess]) -> Iterator[tuple[Guess, float]]:
    """Yield what was written down, and by how much less each text counts."""
    first = max((guess.log_prob for guess in guesses), default=0.0)
    for guess in guesses:
        yield guess, DOUBT * (first - guess.log_prob)
    for guess in spotted:
        yield guess, SPOTTED


def _matches(text: str, phrases: Phrases, expecting: Expecting) -> Iterator[Likeness]:
    asked = expecting is not Expecting.NOTHING  # else answers can only prevent others
    kinds = {expecting, expecting.kind} if asked else {Expecting.CHECKIN}
    groups = tuple(
        (intent, after)
        for intent, after in phrases.groups
        if not after or not kinds.isdisjoint(after)
    )
    for heard in _readings(text, phrases.fillers):
        yield from _nearest(heard, phrases, groups)


@lru_cache(maxsize=64)  # guesses at one utterance have most of their words in common
def _nearest(heard: str, phrases: Phrases, groups: tuple[Group, ...]) -> tuple[Likeness, ...]:
    total = weight(heard)
    rows = phrases.table.nearest(heard, groups, NEAREST)
    found: list[Likeness] = []
    for row, fit in zip(rows, phrases.table.fit(rows, heard), strict=True):
        phrase = phrases.all[row]
        found.append(Likeness(_value(phrase, fit, total), phrase))
    return tuple(found)


def _in_two(text: str, phrases: Phrases) -> Iterator[Likeness]:
    """Yield calls for help of two parts: two calls, or a call and its subject."""
    words = [word for word in text.split() if sounds(word) not in phrases.fillers]
    if len(words) > MOST_WORDS:
        return
    groups = tuple(group for group in phrases.groups if group[0] in (Intent.HELP, Intent.UNWELL))
    for place in range(1, len(words)):
        halves = [_half(half, phrases, groups) for half in (words[:place], words[place:])]
        both = [half for half in halves if half is not None]
        calls = [half.phrase.entry for half in both if _calls(half)]
        if len(both) > 1 and calls:
            yield _joined(both, next((call for call in calls if call.what), calls[0]))


def _calls(half: Likeness) -> bool:
    return half.phrase.entry.intent is Intent.HELP and half.value >= CALL


def likeness(phrase: Phrase, guesses: Sequence[Guess], phrases: Phrases) -> float:
    """Return how like a phrase is to what was written down, at best 1, however near others are.

    A guess counts less by how much less likely it is than the best, as in `likenesses`.
    """
    table = Table([phrase.sounds], [None])
    values = (
        _value(phrase, table.fit([0], heard)[0], weight(heard)) - loss
        for guess, loss in _guesses(guesses, ())
        for heard in _readings(guess.text, phrases.fillers)
    )
    return max(values, default=0.0)


def _value(phrase: Phrase, fit: Fit, total: float) -> float:
    """Return the likeness of a phrase with this fit into sounds of this weight."""
    lost = fit.cost + LEAD * fit.lead + TAIL * fit.tail
    return 1 - lost / max(phrase.weight, total)


def _joined(halves: Sequence[Likeness], entry: Entry) -> Likeness:
    parts = [half.phrase for half in halves]
    whole = sum(part.weight for part in parts)
    value = sum(half.value * half.phrase.weight for half in halves) / whole
    said = " ".join(part.text for part in parts)
    return Likeness(
        value, Phrase(said, "".join(part.sounds for part in parts), whole, entry, joined=True)
    )


def _half(words: list[str], phrases: Phrases, groups: tuple[Group, ...]) -> Likeness | None:
    heard = sounds(" ".join(words))
    found = max(_nearest(heard, phrases, groups), key=lambda one: one.value) if heard else None
    return found if found is not None and found.value >= PART else None


def explains(phrase: Phrase, evidence: Evidence, phrases: Phrases) -> float:
    """Return the share of the likeliest guess, without fillers, that a phrase is."""
    best = max(evidence.guesses, key=lambda guess: guess.log_prob, default=Guess(""))
    heard = min(map(weight, _readings(best.text, phrases.fillers)), default=0.0)
    return phrase.weight / heard if heard else 0.0


def _readings(text: str, fillers: frozenset[str]) -> Iterable[str]:
    """Return the sounds of a text, also without fillers, and also without repetitions."""
    words = text.split()
    bare = [word for word in words if sounds(word) not in fillers] or words
    return dict.fromkeys(filter(None, (sounds(" ".join(w)) for w in (words, bare, _once(bare)))))


def _once(words: list[str]) -> list[str]:
    """Reduce repetitions to one: 네 네 네, 아니 아니 괜찮아요."""
    words = [word for word, before in zip(words, [None, *words], strict=False) if word != before]
    for size in range(1, len(words) // 2 + 1):
        if all(words[n] == words[n % size] for n in range(len(words))):
            return words[:size]
    return words
