"""What was heard -> what was meant: pure, by likeness of sound to the phrases of a file.

    guesses -> likeness to every near phrase -> the best of each intent -> Understood

UNCLEAR unless sure. A call for help needs little, since the hub asks back before it raises an
alarm; FINE, which ends a worry, is understood only when nothing else is near. What ends a worry or
a call needs strong evidence.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import asdict, replace

from hub.contract.voice import WORDS_MAX
from voice.understanding import wordless
from voice.understanding.intents import Expecting, Intent, Understood, Worded
from voice.understanding.likeness import Evidence, Guess, Likeness, explains, likeness, likenesses
from voice.understanding.phrases import Phrase, Phrases, Turns
from voice.understanding.sign_off import is_sign_off, told_of_a_noun
from voice.understanding.signs import Found
from voice.understanding.weighing import BRIEF, EXACT, Best, beaten, opposed, weighed

ENDS = {Intent.FINE, Intent.CANCEL}  # end a worry: never from weak evidence
ENDS_CALL = frozenset(ENDS | {Intent.NO})  # "도움이 필요하세요?" "아니요": there they mean the same
ALONE = -99.0  # stands for all other meanings where there are none
NONE = -12.0  # the same where it is doubtful that anybody spoke
REFUTED = -15.0  # nats below which no lead and no likeness makes a phrase believed


class Threshold(Struct, frozen=True):
    """What a meaning needs: a value, and a lead over all other meanings."""

    value: float
    lead: float = 0.0
    clear: float = 99.0  # a lead that is enough for nearly any value


class Scale(Struct, frozen=True):
    """The thresholds on one scale: `top` is its best value, a `step` a usual distance on it."""

    step: float
    top: float
    thresholds: Mapping[Intent, Threshold]

    def of(self, intent: Intent) -> Threshold:
        """Return what a meaning needs."""
        return self.thresholds.get(intent, self.thresholds[Intent.UNCLEAR])


# 1 is the same sounds.
BY_LIKENESS = Scale(0.06, 1.0, {
    Intent.HELP: Threshold(0.74, -0.02),
    Intent.FINE: Threshold(0.82, 0.08),
    Intent.YES: Threshold(0.70, 0.03),
    Intent.NO: Threshold(0.70, 0.03),
    Intent.CANCEL: Threshold(0.74, 0.03),
    Intent.OFTEN: Threshold(0.75, 0.06),
    Intent.UNCLEAR: Threshold(0.76, 0.02),  # all others
})  # fmt: skip
# By how much less likely the sound is under the phrase than under the best guess, in nats.
BY_WEIGHT = Scale(2.0, 0.0, {
    Intent.HELP: Threshold(-8.0, -1.5, 4.0),
    Intent.FINE: Threshold(-6.5, 1.5),
    Intent.YES: Threshold(-7.0, 1.0),
    Intent.NO: Threshold(-7.0, 1.0),
    Intent.CANCEL: Threshold(-8.0, 1.5),
    Intent.OFTEN: Threshold(-6.0, 1.0),
    Intent.UNCLEAR: Threshold(-7.0, 0.5),  # all others
})  # fmt: skip


UNASKED = {Intent.FINE, Intent.YES, Intent.NO}  # mean something only as answers
SILENCES = {Intent.AWAY, Intent.VISITOR}  # silence warnings for hours; a television says them too
# Not believed where only the first pass heard them: it hears phrases in any sound.
NEEDS_A_WORD = {Intent.FINE, Intent.YES, Intent.NO, Intent.CANCEL, Intent.OFTEN}
# How like a short answer must be to what was written, however well the sound fits it: "네" fits
# most groans better than the nonsense that is written for them. Of 194 sounds without a word that
# were spoken by six synthetic voices 40 were weighed to be an answer, 36 of them below 0.7 (0.21
# to 0.68); of the given recordings that were, clean and at 10 dB, none of 11 true ones (0.71 to 1).
ALIKE = 0.7
WHOLE = 0.7  # the share of what was said that FINE must be: before 좋아요 may stand "속이 안"
# The share of what was said that must take a call back, unasked: of 28 who took one back in their
# own words none had less than 0.48; of "열두 명이 실종됐습니다", which ends in 됐습니다, it is 0.3.
MAIN = 0.45
TOLD = -0.8  # log-probability above which a sign of danger in a guess is believed
WELL_HEARD, STANDS = -0.6, Threshold(0.76, 0.02)  # a call among other words, by likeness alone
# Log-probability, and chance that nobody spoke, that make speech doubtful: a call needs more.
POOR, DOUBTED = -1.0, 0.3  # both: at 3 steps more one clear 살려주세요 in babble is missed
MUDDLE = 2.0
NOISE, UNLIKELY = -1.4, 0.5  # either, one step: of 128 calls 4 were so, none was lost by it
AS_LIKELY = 0.15  # log-probability behind the best at which another guess is as good
CROWD, IN_CROWD = 0.3, 2.0  # `Evidence.around` of what does not stand out: so many steps more


class Reason(StrEnum):
    """Why something was understood (the first three), or why not."""

    PHRASE = "phrase"
    SIGN = "sign"  # of danger, among whatever other words
    AILMENT = "ailment"  # the sign of an ailment
    NOTHING = "nothing"  # no phrase is near enough, or those of two meanings are
    HARMLESS = "harmless"  # a sentence that means nothing to the hub is nearest
    SOUNDS = "sounds"  # nothing but sounds that are no words
    LOG_PROB = "log_prob"  # hardly readable: below `wordless.PLAIN`
    NO_SPEECH = "no_speech"  # it is doubtful that anybody spoke: from `wordless.SPOKE` on
    WEAK = "weak"  # only the first pass heard it
    TURNED = "turned"  # a word that reverses it was heard too
    PART = "part"  # it is too small a part of what was said
    AGAINST = "against"  # a phrase against it is as likely
    UNASKED = "unasked"  # it means something only as an answer
    UNLIKE = "unlike"  # the sound fits it, but what was written is not like it: below `ALIKE`
    SIGN_OFF = "sign_off"  # the polite past of a noun, as broadcasts end
    SWITCHED_OFF = "switched_off"  # spoken calls are switched off in this home


class Verdict(Struct, frozen=True):
    """What was understood, and why.

    `phrase` is the one that decided, or that was refused; `value` how well it fits, `sign` the
    pattern that was found. `refused` is what would have been understood without the reason.
    """

    understood: Understood = Understood()
    reason: Reason = Reason.NOTHING
    phrase: str = ""
    value: float = 0.0
    sign: str = ""
    refused: Intent | None = None


def understand(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> Understood:
    """Return what was meant, UNCLEAR unless sure: `explain` without the reasons."""
    return explain(evidence, phrases, expecting, keen=keen).understood


def explain(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> Verdict:
    """Return what was meant and why, UNCLEAR unless sure.

    `keen` lowers what a call for help needs, in steps of the scale.
    """
    danger = _danger(evidence, phrases, expecting) if keen >= 0.0 else None
    if danger is not None:
        return Verdict(Understood(Intent.HELP, danger.what, sure=0.5), Reason.SIGN, sign=danger.say)
    verdict = _by_phrases(evidence, phrases, expecting, keen)
    if verdict.understood.intent is Intent.HELP:
        return verdict
    intent = verdict.understood.intent
    # in a check-in YES counts as FINE
    needs = intent is Intent.YES or intent in SILENCES or ends(intent, expecting)
    if (doubt := wordless.doubt(evidence, ends=needs)) is not None:
        return _without_words(verdict, doubt, evidence, expecting)
    if intent is Intent.UNCLEAR and expecting.kind is Expecting.CHECKIN:
        told = (phrases.signs.find(Intent.UNWELL, guess.text) for guess in _plain(evidence))
        ails = next((found for found in told if found is not None), None)
        if ails is not None:
            unwell = Understood(Intent.UNWELL, ails.what, sure=0.5)
            return Verdict(unwell, Reason.AILMENT, sign=ails.say)
    if verdict.reason is Reason.UNLIKE and expecting is not Expecting.NOTHING:
        return replace(verdict, understood=Understood(wordless=wordless.is_short(evidence)))
    return verdict


def _without_words(
    verdict: Verdict, doubt: wordless.Doubt, evidence: Evidence, expecting: Expecting
) -> Verdict:
    """Refuse an answer that may be no word, whatever the answer would do.

    The first pass cannot tell a word from a groan: of it only what brings a person counts.
    """
    intent = verdict.understood.intent
    weak = doubt is wordless.Doubt.WEAK
    if weak and intent not in NEEDS_A_WORD:
        return verdict
    refused = verdict.refused if intent is Intent.UNCLEAR else intent
    asked = expecting is not Expecting.NOTHING
    unclear = Understood(wordless=asked and wordless.is_wordless(evidence))
    return Verdict(unclear, Reason(doubt), verdict.phrase, verdict.value, refused=refused)


def _by_phrases(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, keen: float
) -> Verdict:  # fmt: skip
    found = _found(evidence, phrases, expecting, keen)
    if found is None:
        return Verdict()
    entry, text, value = found.phrase.entry, found.phrase.text, round(found.value, 3)
    if entry.intent is Intent.UNCLEAR:
        return Verdict(reason=Reason.HARMLESS, phrase=text, value=value)
    if (refusal := _refusal(found, evidence, phrases, expecting)) is not None:
        return Verdict(Understood(), refusal, text, value, refused=entry.intent)
    by_weight = evidence.weighed and found.value <= 0.0
    scale = BY_WEIGHT if by_weight else BY_LIKENESS
    lowest = scale.of(entry.intent).value
    sure = 0.5 + 0.5 * min(1.0, max(0.0, (found.value - lowest) / (scale.top - lowest)))
    meant = Understood(entry.intent, entry.what, entry.score, round(sure, 3))
    return Verdict(meant, Reason.PHRASE, text, value)


def _refusal(
    found: Likeness, evidence: Evidence, phrases: Phrases, expecting: Expecting
) -> Reason | None:
    """Return why the phrase that fits best is not believed; None where it is."""
    phrase, entry = found.phrase, found.phrase.entry
    if _is_sign_off(evidence, phrases) and (
        entry.intent is Intent.HELP or not told_of_a_noun(phrase.text)
    ):
        return Reason.SIGN_OFF
    if _is_unlike(found, evidence, phrases):
        return Reason.UNLIKE
    if _is_turned(phrase, evidence, phrases):
        return Reason.TURNED
    if ends(entry.intent, expecting):
        ended = _not_ending(phrase, evidence, phrases, expecting)
        if ended is not None:
            return ended
    if expecting is not Expecting.NOTHING:
        return None
    crowd = entry.intent in SILENCES and evidence.around >= CROWD
    if crowd or entry.intent in UNASKED or entry.after:
        return Reason.UNASKED
    return None


def contested(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> tuple[str, ...]:
    """Return what must be weighed too before an end of a worry or a call is believed."""
    found = _found(evidence, phrases, expecting, 0.0)
    if found is None or not ends(found.phrase.entry.intent, expecting):
        return ()
    return opposed(evidence, phrases, found.phrase)


def _found(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, keen: float
) -> Likeness | None:
    """Return the phrase that decides, and how well it explains what was heard."""
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


class Ease(Struct, frozen=True):
    """How many steps less a call for help needs, and any meaning; below 0: more."""

    call: float = 0.0
    any: float = 0.0

    def of(self, intent: Intent) -> float:
        """Return the steps for a meaning."""
        return self.any + (self.call if intent is Intent.HELP else 0.0)


def decide(
    best: Best, scale: Scale, ease: Ease, expecting: Expecting, none: float = ALONE
) -> Likeness | None:
    """Return the best phrase of the meaning that is sure; None where none is.

    `none` is the value of the next meaning where there is no other.
    """
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


def _is_sure(intent: Intent, value: float, other: float, scale: Scale, ease: Ease) -> bool:
    needed = scale.of(intent)
    value += scale.step * ease.of(intent)
    lead = value - other
    clear = lead >= needed.clear and value > REFUTED and ease.any >= 0.0
    return lead >= needed.lead and (value >= needed.value or clear)


def ends(intent: Intent, expecting: Expecting) -> bool:
    """Whether this would end a worry or a call."""
    return intent in (ENDS_CALL if expecting is Expecting.HELP else ENDS)


def _calls_plainly(evidence: Evidence, phrases: Phrases) -> bool:
    """Whether the best guess is exactly a call for help."""
    best = _best(evidence)
    alike = likenesses(Evidence((best,)), phrases, Expecting.NOTHING)
    first = max((found[0] for found in alike.values()), key=lambda one: one.value, default=None)
    return first is not None and first.phrase.entry.intent is Intent.HELP and first.value >= EXACT


def _stands_there(found: Likeness, alike: Best, evidence: Evidence) -> bool:
    """Whether a call is part of words plainly heard, though no phrase explains all of them."""
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
    """Return the guesses in which a sign is believed."""
    if not evidence.strong or evidence.no_speech > DOUBTED:
        return ()
    return tuple(guess for guess in evidence.guesses if guess.log_prob > TOLD)


def _danger(evidence: Evidence, phrases: Phrases, expecting: Expecting) -> Found | None:
    """Return the sign of danger in words plainly heard that no phrase explains otherwise."""
    if expecting is Expecting.NOTHING and evidence.around >= CROWD:
        return None
    plain = _plain(evidence)
    told = (phrases.signs.find(Intent.HELP, guess.text) for guess in plain)
    danger = next((found for found in told if found is not None), None)
    if danger is None or any(phrases.signs.is_elsewhere(guess.text) for guess in plain):
        return None
    every = likenesses(Evidence(plain), phrases, expecting)
    others = (found[0].value for intent, found in every.items() if intent is not Intent.HELP)
    return danger if max(others, default=0.0) < EXACT else None


def sign_refused(
    evidence: Evidence, phrases: Phrases, expecting: Expecting, *, keen: float = 0.0
) -> tuple[str, str]:
    """Return the sign of danger in the best guess that was not believed, and what refused it.

    Both empty where there is none, or where it was believed. For `anbu voice understand` only: no
    decision depends on it.
    """
    best = _best(evidence)
    found = phrases.signs.find(Intent.HELP, best.text)
    if found is None or _believed(evidence, phrases, expecting, keen):
        return "", ""
    refusals = {
        "sensitivity": keen < 0.0,
        "around": expecting is Expecting.NOTHING and evidence.around >= CROWD,
        "no_speech": evidence.no_speech > DOUBTED,
        "log_prob": best.log_prob <= TOLD,
        "elsewhere": phrases.signs.is_elsewhere(best.text),
    }
    return found.say, next((name for name, holds in refusals.items() if holds), "phrase")


def _believed(evidence: Evidence, phrases: Phrases, expecting: Expecting, keen: float) -> bool:
    return keen >= 0.0 and _danger(evidence, phrases, expecting) is not None


def _not_ending(
    phrase: Phrase, evidence: Evidence, phrases: Phrases, expecting: Expecting
) -> Reason | None:
    """Return why this may not end a worry or a call: it is too small a part, or not sure enough.

    Whether it was a word at all is asked of every answer (`voice.understanding.wordless`).
    """
    unasked = MAIN if expecting is Expecting.NOTHING else 0.0
    least = WHOLE if phrase.entry.intent is Intent.FINE else unasked
    if explains(phrase, evidence, phrases) < least:
        return Reason.PART
    return Reason.AGAINST if beaten(evidence, phrases, phrase) else None


def _best(evidence: Evidence) -> Guess:
    """Return what was most likely said."""
    return max(evidence.guesses, key=lambda guess: guess.log_prob, default=Guess(""))


def _is_sign_off(evidence: Evidence, phrases: Phrases) -> bool:
    """Whether the likeliest guess, or one hardly less likely, is how broadcasts end."""
    least = _best(evidence).log_prob - AS_LIKELY
    return any(
        is_sign_off(guess.text, phrases) for guess in evidence.guesses if guess.log_prob >= least
    )


def _is_unlike(found: Likeness, evidence: Evidence, phrases: Phrases) -> bool:
    """Whether the sound fits a short answer, but what was written down is not like it.

    Also if it may be a mere sound: one of the guesses is. What the first pass wrote does not count:
    it hears phrases in any sound. Where weighing decided nothing, a likeness needs one step more.
    """
    phrase = found.phrase
    if not evidence.weighed or phrase.entry.intent not in NEEDS_A_WORD or phrase.weight > BRIEF:
        return False
    value = likeness(phrase, evidence.guesses, phrases)
    left_open = found.value > 0.0
    if value < ALIKE + BY_LIKENESS.step * left_open:
        return True
    return value < EXACT and any(wordless.is_sound(guess.text) for guess in evidence.guesses)


def _is_turned(phrase: Phrase, evidence: Evidence, phrases: Phrases) -> bool:
    """Whether a word was heard that reverses it: 안, 못, 좋았으면."""
    turns = phrases.turns.get(phrase.entry.intent, Turns())
    return not turns.within(_best(evidence).text) <= turns.within(phrase.text)


def _doubt(evidence: Evidence) -> float:
    """Return how many steps more a call needs because it is doubtful that this was speech."""
    best = max((guess.log_prob for guess in evidence.guesses), default=0.0)
    if best < POOR and evidence.no_speech > DOUBTED:
        return MUDDLE
    return 1.0 if best < NOISE or evidence.no_speech > UNLIKELY else 0.0


def worded(understood: Understood, evidence: Evidence) -> Understood:
    """Add the best guess; the spelling of the first pass alone is too poor to be told."""
    if not (evidence.strong and evidence.guesses):
        return understood
    return Worded(**asdict(understood), words=evidence.guesses[0].text[:WORDS_MAX])
