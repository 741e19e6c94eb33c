"""What the resident says, asked or not, and how the voice itself fares.

Words that nobody understood may be the television's: they are no sign of life, and end no warning.
Sounds without a word may be all that somebody on the floor has left to say.
Nor does it that somebody visits, or has gone: such words are not asked back.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import WORDLESS, AnsweredBy, FaultKind
from hub.contract.scaip import BY_HAND, Kind
from hub.contract.voice import Meaning, Part, Phrase
from hub.core.activity import presence
from hub.core.alarm import alarm, warning
from hub.core.alarm.alarm import STORED
from hub.core.checkin import checkin, escalation
from hub.core.inputs import announcements, sensors
from hub.core.model.checkin import asking
from hub.core.model.effects import Ask, Effect, Say
from hub.core.model.events import Answered, PartChanged, Spoke, Talking, VoiceTold
from hub.core.model.rules import Rules
from hub.core.model.state import Cancelled, Candidate, HomeState, Said, Step, without_visitor
from hub.core.supervision import faults

VOICE = "voice"  # as a device, in alarms and in evidence
TAKES_BACK = {Meaning.NO, Meaning.CANCEL, Meaning.FINE}  # "괜찮아요" is the polite Korean no
ANEW_S = 15.0  # as `spoken_s`; a restart takes under 2 s
ALARMING = {Meaning.HELP, Meaning.UNWELL}  # to a warning: no sign that all is well


class Heard(Struct, frozen=True):
    """What a word came to: `state` and `effects`, and whether anybody else has to look at it."""

    state: HomeState
    effects: list[Effect]
    over: bool


def _call_for_help(state: HomeState, event: Answered, rules: Rules) -> Heard:
    """Take a word that may call for help, or answers whether help is needed."""
    meaning = event.meaning
    if state.candidate is not None:
        return _help_answered(state, event, rules)
    if state.warning is not None and meaning in ALARMING:
        state = replace(state, warning=None)
        return Heard(*_raise(state, event.at, rules, _said_in(event)), over=True)
    doubtful = state.warning is not None and meaning is Meaning.NO
    if doubtful or meaning is Meaning.HELP:
        return Heard(*_ask(state, event, rules), over=True)
    return Heard(state, [], over=False)


def taken_back(state: HomeState) -> Step:
    """End a candidate, by a clear word or the green button."""
    return replace(state, candidate=None), [Say(Phrase.HELP_NOT_NEEDED)]


def _ask_after_groans(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask whether help is needed, after answers in which there was no word."""
    return _ask(state, replace(event, what=WORDLESS), rules)


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Raise what nobody took back; after a restart ask once more."""
    candidate = state.candidate
    if candidate is None:
        return state, []
    if candidate.until <= at:
        return _raise(state, at, rules, candidate.said)
    if candidate.asked:
        return state, []
    return replace(state, candidate=replace(candidate, asked=True)), [Ask(Phrase.ASK_HELP)]


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give when a candidate becomes an alarm."""
    if state.candidate is None:
        return None
    return state.candidate.until if state.candidate.asked else state.candidate.heard_at


def recovered(old: Candidate | None, at: float) -> Candidate | None:
    """Give what was heard before a restart its time anew: the answer to it was lost."""
    if old is None:
        return None
    until = at if old.cut_short else at + ANEW_S
    return replace(old, heard_at=at, until=until, asked=False, cut_short=True)


def _ask(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Ask back; but where a call by hand is open already, this is one more of it."""
    if any(a.kind in BY_HAND and not isinstance(a.life, Cancelled) for a in state.alarms):
        return _again(state, event, rules)
    until = event.at + rules.spoken_s
    candidate = Candidate(event.at, until, words=event.words, about=event.what)
    state = replace(state, candidate=candidate)
    return state, [Ask(Phrase.ASK_HELP)]


def _again(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Tell an open alarm's centre that help was called again, but not for each word of it.

    What it was not told of yet (first a fall, then a fire) is told at once.

    Once the centre has the alarm `sos` keeps the measure, and lets no cry go unheard.
    """
    asked_off = any(a.cancel_asked for a in state.alarms)  # whoever cries takes that back
    stored = any(isinstance(a.life, STORED) and a.kind in BY_HAND for a in state.alarms)
    news = any(a.kind in BY_HAND and alarm.is_news(a, event.what) for a in state.alarms)
    early = event.at < state.spoken_at + rules.spoken_again_s
    if early and not (asked_off or stored or news):
        return state, []
    return _raise(state, event.at, rules, _said_in(event))


def _help_answered(state: HomeState, event: Answered, rules: Rules) -> Heard:
    if event.asked not in {"", Phrase.ASK_HELP} and event.meaning in TAKES_BACK:
        return Heard(state, [], over=True)  # it was said to another question, before the cry
    if event.meaning in TAKES_BACK:
        state, words = taken_back(state)
        state, effects = sensors.take_activity(state, VOICE, event.at, event.by, rules)
        return Heard(state, [*words, *effects], over=True)
    cry = state.candidate.said if state.candidate else Said()
    about = event.what if event.meaning in ALARMING else ""
    said = cry.with_answer(event.words, about)
    raised = _raise(state, event.at, rules, said)
    return Heard(*raised, over=event.meaning is not Meaning.COUNSEL)


def _said_in(event: Answered) -> Said:
    return Said(event.words, event.what)


def _raise(state: HomeState, at: float, rules: Rules, said: Said) -> Step:
    state = replace(state, candidate=None, warning=None, spoken_at=at)
    return alarm.call(state, Kind.SPOKEN, VOICE, at, rules, said)


FAULT = {
    Part.MICROPHONE: FaultKind.NO_MICROPHONE,
    Part.LOUDSPEAKER: FaultKind.NO_LOUDSPEAKER,
    Part.SPEECH: FaultKind.NO_SPEECH,
    Part.MUTE: FaultKind.MUTED,
}
COMPANY = {Meaning.VISITOR, Meaning.ALONE}
VoiceEvent = Answered | Talking | Spoke | PartChanged | VoiceTold


def take_voice_event(state: HomeState, event: VoiceEvent, rules: Rules) -> Step:
    """Take what the voice has to tell."""
    match event:
        case Answered():
            return _answered(state, event, rules)
        case Talking(at=at):
            return checkin.take_talking(state, at, rules), []
        case Spoke():
            return announcements.take_receipt(state, event, rules)
        case PartChanged(at=at, device=device, part=part, broken=broken, detail=detail):
            if broken:
                return faults.fail(state, FAULT[part], device, at, rules, detail)
            return faults.mend(state, FAULT[part], device, at, rules)
        case VoiceTold():
            return replace(state, watch=replace(state.watch, voice=event)), []
        case _:
            assert_never(event)


def _answered(state: HomeState, event: Answered, rules: Rules) -> Step:
    if event.by is AnsweredBy.NOBODY:
        return state, []
    meant = _as_ordered(state, event, rules)
    if meant is None:
        return state, []
    if meant.meaning in COMPANY:
        state = _company(state, meant, rules)
        if not meant.asked:
            return state, []
        meant = replace(meant, meaning=Meaning.UNCLEAR)  # it answers no question of ours
    event = meant
    taken = _call_for_help(state, event, rules)
    if taken.over:
        return taken.state, taken.effects
    state, effects = _understood(taken.state, event, rules)
    return state, [*taken.effects, *effects]


def _company(state: HomeState, event: Answered, rules: Rules) -> HomeState:
    if event.meaning is Meaning.VISITOR:
        return presence.with_visitor(state, event.at, rules)
    return without_visitor(state, event.at)


def _as_ordered(state: HomeState, event: Answered, rules: Rules) -> Answered | None:
    """Give what a cry means in a home that has switched spoken calls off: unasked, nothing."""
    off = event.meaning is Meaning.HELP and not rules.spoken_sos
    if not off or state.warning is not None:
        return event
    return replace(event, meaning=Meaning.UNWELL) if asking(state.care) else None


def _understood(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take any word but a call for help."""
    at, words, over = event.at, list[Effect](), list[Effect]()
    if event.meaning is Meaning.UNCLEAR:
        return _unclear(state, event, rules)
    if event.meaning is Meaning.HOME:
        state, words = presence.take_declaration(state, at, away=False, rules=rules)
    state, _ = sensors.end_quiet(state, VOICE, at, event.by, rules)
    state, over = warning.end(state)
    state, effects = checkin.take_answer(state, event, rules)
    if event.meaning is Meaning.AWAY:
        state, words = presence.take_declaration(state, at, away=True, rules=rules)
    return state, [*over, *effects, *words]


def _unclear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take what nobody understood; who twice had no word for it is asked whether help is needed.

    Where spoken calls are switched off the ladder of a missed check-in tells a person all the same.
    """
    if checkin.wordless_so_far(state, event) < checkin.MOST_WORDLESS or not rules.spoken_sos:
        return checkin.take_answer(state, event, rules)
    state, asked = _ask_after_groans(state, event, rules)  # first: no reminder is said beside it
    state, effects = checkin.take_answer(state, event, rules)
    return escalation.without_further_steps(state), [*effects, *asked]
