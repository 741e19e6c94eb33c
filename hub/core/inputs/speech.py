"""What the resident says, asked or not, and how the voice itself works.

Words that nobody understood may be the television's: they are no sign of life, and end no warning.
Words about a visitor are no sign of life either, and are not asked back. Sounds without a word may
be all that somebody on the floor can still say.

A spoken call for help is a candidate first: the hub asks back, and raises it within `spoken_s`
unless a clear word or the green button takes it back.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import WORDLESS, AnsweredBy, FaultKind
from hub.contract.scaip import BY_HAND, Kind
from hub.contract.voice import Meaning, Part, Phrase
from hub.core.activity import presence
from hub.core.alarm import alarm
from hub.core.alarm.alarm import STORED
from hub.core.checkin import checkin, escalation
from hub.core.inputs import announcements, sensors
from hub.core.model.checkin import asking
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.events import Answered, PartChanged, Spoke, Talking, VoiceTold
from hub.core.model.rules import Rules
from hub.core.model.state import Cancelled, Candidate, HomeState, Said, Step, without_visitor
from hub.core.supervision import faults
from hub.core.vitals import question

VOICE = "voice"  # its name as a device, in alarms and evidence
TAKES_BACK = {Meaning.NO, Meaning.CANCEL, Meaning.FINE}  # "괜찮아요" is the polite Korean no
ALARMING = {Meaning.HELP, Meaning.UNWELL}  # said to a warning: not all is well
OF_VISITORS = {Meaning.VISITOR, Meaning.ALONE}
AGAIN_S = 15.0  # as `spoken_s`; a restart takes under 2 s
FAULT_OF_PART = {
    Part.MICROPHONE: FaultKind.NO_MICROPHONE,
    Part.LOUDSPEAKER: FaultKind.NO_LOUDSPEAKER,
    Part.SPEECH: FaultKind.NO_SPEECH,
    Part.MUTE: FaultKind.MUTED,
}
VoiceEvent = Answered | Talking | Spoke | PartChanged | VoiceTold


class Heard(Struct, frozen=True):
    """The result of a word: `state` and `effects`, and whether it is `over`, dealt with."""

    state: HomeState
    effects: list[Effect]
    over: bool


def take_voice_event(state: HomeState, event: VoiceEvent, rules: Rules) -> Step:
    """Apply what the voice reports."""
    match event:
        case Answered():
            return _take_answer(state, event, rules)
        case Talking(at=at):
            return checkin.take_talking(state, at, rules), []
        case Spoke():
            return announcements.take_receipt(state, event, rules)
        case PartChanged(at=at, device=device, part=part, broken=broken, detail=detail):
            if broken:
                return faults.fail(state, FAULT_OF_PART[part], device, at, rules, detail)
            return faults.mend(state, FAULT_OF_PART[part], device, at, rules)
        case VoiceTold():
            return replace(state, watch=replace(state.watch, voice=event)), []
        case _:
            assert_never(event)


def taken_back(state: HomeState) -> Step:
    """End a candidate, by a clear word or the green button."""
    return replace(state, candidate=None), [Say(Phrase.HELP_NOT_NEEDED)]


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise what nobody took back; after a restart ask once more."""
    candidate = state.candidate
    if candidate is None:
        return state, []
    if candidate.until <= at:
        return _raise_spoken(state, at, rules, candidate.said)
    if candidate.asked:
        return state, []
    return replace(state, candidate=replace(candidate, asked=True)), [Ask(Phrase.ASK_HELP)]


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when a candidate becomes an alarm, or is asked again."""
    if state.candidate is None:
        return None
    return state.candidate.until if state.candidate.asked else state.candidate.heard_at


def recovered(old: Candidate | None, at: float) -> Candidate | None:
    """Return a candidate with its whole time again: the answer was lost in the restart."""
    if old is None:
        return None
    until = at if old.cut_short else at + AGAIN_S
    return replace(old, heard_at=at, until=until, asked=False, cut_short=True)


def _take_answer(state: HomeState, event: Answered, rules: Rules) -> Step:
    if event.by is AnsweredBy.NOBODY:
        return state, []
    meant = _as_settings_allow(state, event, rules)
    if meant is None:
        return state, []
    if meant.meaning in OF_VISITORS:
        state = _take_company(state, meant, rules)
        if not meant.asked:
            return state, []
        meant = replace(meant, meaning=Meaning.UNCLEAR)  # it answers no question of the hub
    event = meant
    taken = _call_for_help(state, event, rules)
    if taken.over:
        return taken.state, taken.effects
    state, effects = _take_other_words(taken.state, event, rules)
    return state, [*taken.effects, *effects]


def _as_settings_allow(state: HomeState, event: Answered, rules: Rules) -> Answered | None:
    """Return what a cry means where spoken calls are switched off: nothing, if unasked."""
    off = event.meaning is Meaning.HELP and not rules.spoken_sos
    if not off or state.warning is not None:
        return event
    return replace(event, meaning=Meaning.UNWELL) if asking(state.care) else None


def _take_company(state: HomeState, event: Answered, rules: Rules) -> HomeState:
    if event.meaning is Meaning.VISITOR:
        return presence.with_visitor(state, event.at, rules)
    return without_visitor(state, event.at)


def _call_for_help(state: HomeState, event: Answered, rules: Rules) -> Heard:
    """Apply a word that may call for help, or that answers whether help is needed."""
    meaning = event.meaning
    if state.candidate is not None:
        return _help_answered(state, event, rules)
    if state.warning is not None and meaning in ALARMING:
        return Heard(*_raise_spoken(state, event.at, rules, _said(event)), over=True)
    doubtful = state.warning is not None and meaning is Meaning.NO
    if doubtful or meaning is Meaning.HELP:
        return Heard(*_ask_back(state, event, rules), over=True)
    return Heard(state, [], over=False)


def _help_answered(state: HomeState, event: Answered, rules: Rules) -> Heard:
    if event.asked not in {"", Phrase.ASK_HELP} and event.meaning in TAKES_BACK:
        return Heard(state, [], over=True)  # it answered another question, before the call
    if event.meaning in TAKES_BACK:
        state, words = taken_back(state)
        state, effects = sensors.take_activity(state, VOICE, event.at, event.by, rules)
        return Heard(state, [*words, *effects], over=True)
    cry = state.candidate.said if state.candidate else Said()
    about = event.what if event.meaning in ALARMING else ""
    said = cry.with_answer(event.words, about)
    raised = _raise_spoken(state, event.at, rules, said)
    return Heard(*raised, over=event.meaning is not Meaning.COUNSEL)


def _ask_back(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask back; but where a call by hand is open already, this is one more of it."""
    if any(a.kind in BY_HAND and not isinstance(a.life, Cancelled) for a in state.alarms):
        return _call_again(state, event, rules)
    until = event.at + rules.spoken_s
    candidate = Candidate(event.at, until, words=event.words, about=event.what)
    state = replace(state, candidate=candidate)
    return state, [Ask(Phrase.ASK_HELP)]


def _call_again(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Report that help was called again, but not for each word of it.

    What it was not told of yet (first a fall, then a fire) is told at once. Once the centre has the
    alarm, `alarm` limits how often it is told; each cry reaches it in the end.
    """
    asked_off = any(a.cancel_asked for a in state.alarms)  # whoever calls again does not want that
    stored = any(isinstance(a.life, STORED) and a.kind in BY_HAND for a in state.alarms)
    news = any(a.kind in BY_HAND and alarm.is_news(a, event.what) for a in state.alarms)
    early = event.at < state.spoken_at + rules.spoken_again_s
    if early and not (asked_off or stored or news):
        return state, []
    return _raise_spoken(state, event.at, rules, _said(event))


def _raise_spoken(state: HomeState, at: float, rules: Rules, said: Said) -> Step:
    asked, meant = state.warning, Meaning.HELP
    state = replace(state, candidate=None, warning=None, spoken_at=at)
    state, effects = alarm.call(state, Kind.SPOKEN, VOICE, at, rules, said)
    state, more = question.tell_with_call(state, asked, meant, at, rules)
    return state, [*effects, *more]


def _said(event: Answered) -> Said:
    return Said(event.words, event.what)


def _take_other_words(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Apply any word but a call for help."""
    at, words, over = event.at, list[Effect](), list[Effect]()
    if event.meaning is Meaning.UNCLEAR:
        return _take_unclear(state, event, rules)
    if event.meaning is Meaning.HOME:
        state, words = presence.take_declaration(state, at, away=False, rules=rules)
    state, _ = sensors.end_quiet(state, VOICE, at, event.by, rules)
    state, over = question.end(state, at, rules, event.meaning)
    state, effects = checkin.take_answer(state, event, rules)
    if event.meaning is Meaning.AWAY:
        state, words = presence.take_declaration(state, at, away=True, rules=rules)
    return state, [*over, *effects, *words]


def _take_unclear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Apply what nobody understood; after two answers without a word ask whether help is needed.

    Where spoken calls are switched off, the escalation of a missed check-in calls a person all the
    same.
    """
    if checkin.wordless_so_far(state, event) < checkin.MOST_WORDLESS or not rules.spoken_sos:
        return checkin.take_answer(state, event, rules)
    state, asked = _ask_after_groans(state, event, rules)  # first: then no reminder is said with it
    state, effects = checkin.take_answer(state, event, rules)
    return escalation.without_further_steps(state), [*effects, *asked]


def _ask_after_groans(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask whether help is needed, after answers in which there was no word."""
    return _ask_back(state, replace(event, what=WORDLESS), rules)
