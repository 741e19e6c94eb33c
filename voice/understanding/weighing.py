"""Weighing: which phrases are compared with the sound itself, and the likeliest of each meaning.

How likely the sound is under one text says little; beside other texts it says much (decision 0015).
"""

from voice.korean.sounds import sounds, weight
from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Evidence, Likeness, likenesses
from voice.understanding.phrases import Phrase, Phrases

UNLIKE = 12.0  # nats that a phrase loses that is not like the guesses at all
UNLIKE_BRIEF = 6.0  # the same where little was said: guesses are poor then
WORTH_WEIGHING = 0.5  # likeness below which a phrase is not weighed
EACH, MOST = 2, 8  # phrases weighed: of one intent, in all
EXACT, FAR = 0.96, 0.12  # a likeness, with a lead, that needs no weighing
NEAR_FIRST = 0.25  # likeness behind the best at which a meaning is still weighed
HALF = 0.5  # likeness below which a phrase that is always weighed is not believed
BELIEVABLE = 0.62  # the same for any other: else a short phrase would explain a long sentence
BRIEF = 6.5  # letters of the shortest guess up to which little was said
OWN = 2.0  # nats that an answer to exactly this question gains
MARGIN = 1.0  # nats by which a meaning must beat what is weighed against it

Best = dict[Intent, Likeness]


def shortlist(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> tuple[str, ...]:
    """Return the texts to be weighed against the sound: best guesses and nearest phrases."""
    near: list[Likeness] = []
    for found in likenesses(evidence, phrases, expecting).values():
        near += [one for one in found[:EACH] if one.value >= WORTH_WEIGHING]
    near.sort(key=lambda one: -one.value)
    brief = phrases.after(expecting, phrases.brief) if _is_brief(evidence) else ()
    if not (near or brief) or (expecting is Expecting.NOTHING and _idle(near)):
        return ()
    if _plain(near) and not (brief and near[0].phrase.entry.intent is Intent.UNCLEAR):
        return ()
    guesses = [guess.text for guess in evidence.guesses[:2]]
    always = [*phrases.after(expecting, phrases.always), *brief]
    likely = [*(one.phrase for one in near[:MOST]), *always]
    return tuple(dict.fromkeys([*guesses, *(phrase.text for phrase in likely)]))


def _is_brief(evidence: Evidence) -> bool:
    """Whether little was said: 네, 응, 맞아요."""
    return min((weight(sounds(guess.text)) for guess in evidence.guesses), default=99.0) <= BRIEF


def _plain(near: list[Likeness]) -> bool:
    """Whether likeness alone decides: one meaning fits exactly, and no other is near."""
    if not near:
        return False
    first = near[0]
    others = (one.value for one in near if one.phrase.entry.intent is not first.phrase.entry.intent)
    return first.value >= EXACT and first.value - max(others, default=0.0) >= FAR


def _idle(near: list[Likeness]) -> bool:
    """Whether no phrase is near that would count unasked."""
    first = near[0].value if near else 0.0
    return not any(
        one.value >= first - NEAR_FIRST
        for one in near
        if one.phrase.entry.intent is not Intent.UNCLEAR and not one.phrase.entry.after
    )


def weighed(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, every: dict[Intent, list[Likeness]]
) -> Best:
    """Return the best phrase of each intent by how likely the sound is under it."""
    weights = evidence.weighed
    free = max(weights.values())
    best: Best = {}
    brief = phrases.after(expecting, phrases.brief) if _is_brief(evidence) else ()
    always = (*phrases.after(expecting, phrases.always), *brief)
    likely = [found for one in every.values() for found in one]
    known = {(found.phrase.text, found.phrase.entry.intent) for found in likely}
    size = weight(sounds(evidence.guesses[0].text)) if evidence.guesses else 0.0
    for phrase in always:
        fits = phrase.weight / 2 <= size <= phrase.weight * 2
        if (phrase.text, phrase.entry.intent) not in known and (fits or phrase in brief):
            likely.append(Likeness(WORTH_WEIGHING, phrase))
    short, texts = {one.text for one in brief}, {one.text for one in always}
    for found in likely:
        text, entry = found.phrase.text, found.phrase.entry
        if text in weights and found.value >= (HALF if text in texts else BELIEVABLE):
            unlike = UNLIKE_BRIEF if text in short else UNLIKE
            value = weights[text] - free - unlike * (1 - min(1.0, found.value))
            value += OWN * entry.answers_just(expecting)
            if entry.intent not in best or value > best[entry.intent].value:
                best[entry.intent] = Likeness(value, found.phrase)
    return best


def opposed(evidence: Evidence, phrases: Phrases, phrase: Phrase) -> tuple[str, ...]:
    """Return the texts to be weighed, with the guesses, before this phrase is believed."""
    against = phrases.against.get(phrase.entry.intent, ())
    texts = (*(guess.text for guess in evidence.guesses[:2]), phrase.text, *against)
    return tuple(text for text in dict.fromkeys(texts) if text not in evidence.weighed)


def beaten(evidence: Evidence, phrases: Phrases, phrase: Phrase) -> bool:
    """Whether what was weighed against a phrase is nearly as likely as it."""
    texts = phrases.against.get(phrase.entry.intent, ())
    against = [evidence.weighed[text] for text in texts if text in evidence.weighed]
    return max(against, default=-999.0) > evidence.weighed.get(phrase.text, 0.0) - MARGIN
