"""The events of check-ins: each result and each need, delivered until the centre confirms it."""

from msgspec.structs import replace

from hub.contract import scaip, wire
from hub.contract.messages import (
    AnsweredBy,
    CareData,
    CareEvent,
    CheckInData,
    CheckInEvent,
    CheckInResult,
    Evidence,
)
from hub.contract.scaip import Care, Kind
from hub.core.alarm import delivery
from hub.core.model.checkin import CheckIn
from hub.core.model.rules import Rules
from hub.core.model.state import Cancelled, HomeState, Step, numbered
from hub.core.supervision.supervision import working

Answer = tuple[CheckInResult, AnsweredBy]

ENDED_BY_LIFE = frozenset({Kind.MISSED_CHECKIN, Kind.NO_LIFE})  # alarms whose reason is then gone


def deliver_result(
    state: HomeState, checkin: CheckIn, answer: Answer, at: float,
    rules: Rules,
) -> Step:  # fmt: skip
    """Deliver the result of a check-in; one that was missed may have two."""
    state, event, time = _numbered(state, at)
    result, by = answer
    data = CheckInData(
        checkin=checkin.name,
        topic=checkin.topic,
        result=result,
        by=by,
        attempts=checkin.attempts,
        due_utc=checkin.due_utc,
        synced=state.clock.synced,
        scaip=scaip.of_check_in(event),
        words=checkin.words,
        wordless=checkin.wordless,
    )
    kind = f"anbu.checkin.{result}"
    message = CheckInEvent(event, wire.source(rules.hub), kind, time, data)
    return delivery.deliver_event(state, message, at, rules)


def deliver_need(
    state: HomeState, care: Care, at: float, rules: Rules, score: int = 0, what: str = ""
) -> Step:
    """Deliver what the resident needs."""
    data = CareData(care, score, synced=True, scaip=scaip.of_care(care, ""), what=what)
    return deliver_care(state, data, at, rules)


def deliver_care(state: HomeState, data: CareData, at: float, rules: Rules) -> Step:
    """Deliver a need with all that is known of it; its reference and clock are filled in."""
    state, event, time = _numbered(state, at)
    block = scaip.of_care(data.care, event)
    data = replace(data, synced=state.clock.synced, scaip=block)
    message = CareEvent(event, wire.source(rules.hub), f"anbu.care.{data.care}", time, data)
    return delivery.deliver_event(state, message, at, rules)


def evidence(
    state: HomeState, since: float, at: float, limit_s: float, rules: Rules, wordless: int = 0
) -> Evidence:
    """Return the evidence for an alarm: since `since` nothing was seen or heard but sounds."""
    return Evidence(
        since_utc=state.clock.utc(since),
        lasted_s=at - since,
        usual_s=0.0,  # not learned: these limits are the same for everybody
        limit_s=limit_s,
        last=state.house.active_by,
        sensors=working(state, rules),
        wordless=wordless,
    )


def hindered(state: HomeState) -> bool:
    """Whether an alarm, its warning or a spoken call is under way, so that nothing is asked."""
    if state.warning is not None or state.candidate is not None:
        return True
    return any(not (a.cleared or isinstance(a.life, Cancelled)) for a in state.alarms)


def _numbered(state: HomeState, at: float) -> tuple[HomeState, str, str]:
    state, event = numbered(state)
    return state, event, wire.timestamp(state.clock.utc(at))
