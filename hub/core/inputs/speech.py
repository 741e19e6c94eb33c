"""What the resident says, asked or not, and how the voice itself fares.

Words that nobody understood may be the television's: they are no sign of life, and end no warning.
Sounds without a word may be all that somebody on the floor has left to say.
Nor does it that somebody visits, or has gone: such words are not asked back.
"""

from typing import assert_never

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, FaultKind
from hub.contract.voice import Meaning, Part
from hub.core import life, spoken
from hub.core.activity import presence
from hub.core.alarm import warning
from hub.core.checkin import checkin, escalation
from hub.core.house_events import Answered, PartChanged, Spoke, Talking, VoiceTold
from hub.core.inputs import announcements
from hub.core.model.checkin import asking
from hub.core.model.effects import Effect
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, alone
from hub.core.spoken import VOICE
from hub.core.supervision import faults

Step = tuple[HomeState, list[Effect]]

FAULT = {
    Part.MICROPHONE: FaultKind.NO_MICROPHONE,
    Part.LOUDSPEAKER: FaultKind.NO_LOUDSPEAKER,
    Part.SPEECH: FaultKind.NO_SPEECH,
    Part.MUTE: FaultKind.MUTED,
}
COMPANY = {Meaning.VISITOR, Meaning.ALONE}
Fact = Answered | Talking | Spoke | PartChanged | VoiceTold


def take(state: HomeState, event: Fact, rules: Rules) -> Step:
    """Take what the voice has to tell."""
    match event:
        case Answered():
            return _answered(state, event, rules)
        case Talking(at=at):
            return checkin.talking(state, at, rules), []
        case Spoke():
            return announcements.spoke(state, event, rules)
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
    taken = spoken.take(state, event, rules)
    if taken.over:
        return taken.state, taken.effects
    state, effects = _understood(taken.state, event, rules)
    return state, [*taken.effects, *effects]


def _company(state: HomeState, event: Answered, rules: Rules) -> HomeState:
    if event.meaning is Meaning.VISITOR:
        return presence.visited(state, event.at, rules)
    return alone(state, event.at)


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
        state, words = presence.declare(state, at, away=False, rules=rules)
    state, _ = life.noticed(state, VOICE, at, event.by, rules)
    state, over = warning.ended(state)
    state, effects = checkin.answered(state, event, rules)
    if event.meaning is Meaning.AWAY:
        state, words = presence.declare(state, at, away=True, rules=rules)
    return state, [*over, *effects, *words]


def _unclear(state: HomeState, event: Answered, rules: Rules) -> Step:
    """Take what nobody understood; who twice had no word for it is asked whether help is needed.

    Where spoken calls are switched off the ladder of a missed check-in tells a person all the same.
    """
    if checkin.wordless(state, event) < checkin.WORDLESS or not rules.spoken_sos:
        return checkin.answered(state, event, rules)
    state, asked = spoken.groaned(state, event, rules)  # first: no reminder is said beside it
    state, effects = checkin.answered(state, event, rules)
    return escalation.called(state), [*effects, *asked]
