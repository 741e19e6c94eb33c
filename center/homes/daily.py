"""What becomes of a check-in's result or of a need: the day is kept, a task opened or eased."""

from sqlalchemy import Connection

from center.domain.need import NeedKind
from center.homes import slots
from center.service.feed import Topic
from center.store.rows import days, needs, words
from hub.contract.messages import CareEvent, CheckInEvent, CheckInResult
from hub.contract.scaip import Care

_ASKS_FOR_A_CALL = {
    CheckInResult.MISSED: NeedKind.MISSED_CHECKIN,
    CheckInResult.UNCLEAR: NeedKind.UNCLEAR,
    CheckInResult.UNWELL: NeedKind.UNWELL,  # its need may come as an event, too: they are folded
}
WORDLESS = 2  # answers without a word, from which on the hub asks no more and a person is told
_LIFE = frozenset({CheckInResult.FINE, CheckInResult.ALIVE, CheckInResult.UNWELL})
_CARE = {
    Care.COUNSELLING: NeedKind.COUNSELLING,
    Care.LOW_MOOD: NeedKind.LOW_MOOD,
    Care.UNWELL: NeedKind.UNWELL,
    Care.NOT_BACK: NeedKind.NOT_BACK,
}


def keep(
    conn: Connection, hub: str, event: CheckInEvent | CareEvent, utc: float
) -> tuple[Topic, ...]:
    """Keep an event that was never seen before; give what pages should hear of."""
    if isinstance(event, CareEvent) and event.data.care is Care.BACK:
        return (Topic.NEED, Topic.HOME) if needs.ease(conn, hub, utc) else ()
    if isinstance(event, CareEvent):
        score = slots.bounded(event.data.score)
        needs.open_need(conn, needs.Asked(hub, _kind_of(event.data.care), event.id, score), utc)
        return (Topic.NEED, Topic.HOME)
    if not days.keep_checkin(conn, hub, event, utc):
        return ()  # an older word on a check-in whose newer word is here already
    words.keep(conn, hub, event.data.checkin, event, utc)
    result = event.data.result
    eased = result in _LIFE and needs.ease(conn, hub, utc)
    unclear = None if result.is_known else NeedKind.UNCLEAR  # never taken for fine
    kind = _ASKS_FOR_A_CALL.get(result, unclear)
    if kind is NeedKind.UNCLEAR and event.data.wordless >= WORDLESS:
        kind = NeedKind.WORDLESS
    if kind:
        needs.open_need(conn, needs.Asked(hub, kind, event.id), utc)
    return (Topic.NEED, Topic.HOME) if kind or eased else (Topic.HOME,)


def _kind_of(care: Care) -> NeedKind:
    """Name the task for a need; one that only a newer hub knows is a task all the same."""
    return _CARE.get(care) or NeedKind.of(care)
