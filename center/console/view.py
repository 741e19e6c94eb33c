"""An incident in words, as the board shows it: from `Incident` to small structs. Pure."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from center.domain import times
from center.domain.incident import Deed, Incident, urgency, waited_s
from center.service.texts import Texts
from hub.contract.messages import COUNTER_RESTARTED, Stage
from hub.contract.scaip import URGENCY, Kind

_ENDS_WITH_LIFE = frozenset({Kind.MISSED_CHECKIN, Kind.NO_LIFE})  # a fall does not end by movement
_GIVEN_BACK = frozenset({Deed.UNANSWERED, Deed.RETURNED, Deed.PRESENT_EXPIRED})
CAME_LATE_S = 30.0  # a call that took longer to arrive is marked: the link was down


class Badge(Struct, frozen=True):
    """A word with an icon; `tone` is warn, good, bad or plain."""

    icon: str
    tone: str
    text: str


class Call(Struct, frozen=True):
    """A line or a card of the board."""

    id: str
    hub: str
    title: str
    said: str
    version: int
    since: float
    age: str
    clock: str
    who: str
    mine: bool
    badges: tuple[Badge, ...]
    expires: float | None
    expires_clock: str
    outcome: str
    received_at: str
    closed_at: str
    again: bool  # it came in again, and its holder has not answered yet
    presses: int
    test: bool = False  # it waits for somebody to say that it was the test


class Board(Struct, frozen=True):
    """The incidents of the board, in reading order."""

    waiting: tuple[Call, ...]
    mine: tuple[Call, ...]
    others: tuple[Call, ...]
    closed: tuple[Call, ...]


class Viewer(Struct, frozen=True):
    """Who looks (an operator's name), when (UTC seconds), and in which language."""

    me: str
    now: float
    t: Texts


def arrange(still_open: Iterable[Incident], closed: Iterable[Incident], viewer: Viewer) -> Board:
    """Return the board: waiting incidents by urgency, the others by their newest change."""
    opened = list(still_open)
    waiting = sorted((one for one in opened if one.needs_person), key=urgent_first)
    taken = sorted((one for one in opened if one.who), key=_newest_first)
    return Board(
        waiting=tuple(call(one, viewer) for one in waiting),
        mine=tuple(call(one, viewer) for one in taken if one.who == viewer.me),
        others=tuple(call(one, viewer) for one in taken if one.who != viewer.me),
        closed=tuple(call(one, viewer) for one in sorted(closed, key=_newest_first)),
    )


def call(incident: Incident, viewer: Viewer) -> Call:
    """Return an incident in words. Its clock counts from when it began to wait for a person."""
    waited = waited_s(incident, viewer.now)
    name = title(incident, viewer.t)
    return Call(
        id=incident.id,
        hub=incident.hub,
        title=name,
        said=viewer.t("calls.said", title=name, hub=incident.hub),
        version=incident.version,
        since=incident.waiting_utc,
        age=urgency(waited).value,
        clock=times.span(waited),
        who=incident.who,
        mine=bool(incident.who) and incident.who == viewer.me,
        badges=tuple(badges(incident, viewer.t)),
        expires=incident.expires_utc,
        expires_clock=times.span((incident.expires_utc or viewer.now) - viewer.now),
        outcome=viewer.t.word("outcome", incident.outcome) if incident.outcome else "",
        received_at=times.short(incident.received_utc, viewer.now),
        closed_at=times.short(incident.closed_utc, viewer.now) if incident.closed_utc else "",
        again=incident.again_utc is not None,
        presses=incident.presses,
        test=incident.is_test,
    )


def title(incident: Incident, t: Texts) -> str:
    """Return what called from where: `거실 · 도움 버튼`."""
    if incident.surplus:
        return t("call.surplus", n=incident.surplus)
    nameless = bool(incident.unread) and not incident.kind.is_known
    kind = t("call.unread") if nameless else t.word("kind", incident.kind)
    by_itself = incident.is_automatic or incident.is_detected
    of_no_place = nameless or by_itself or incident.is_spoken
    if incident.is_quiet or (of_no_place and not incident.place):
        return kind  # of the whole home; the place is only where somebody was seen last
    return t("call.title", place=incident.place or t("call.no_place"), kind=kind)


def badges(incident: Incident, t: Texts) -> Iterator[Badge]:
    """Yield what an operator should know before taking it, the most important first."""
    if incident.unread:
        yield Badge("triangle", "bad", t("call.unread_some"))
    yield from _how(incident, t)
    if incident.cleared_utc is not None and incident.is_detected:
        yield Badge("check", "plain", t("call.all_clear"))
    elif incident.cleared_utc is not None:
        yield Badge("check", "good", t("call.cleared"))
    if incident.cancelled_utc is not None:
        yield Badge("cross", "warn", t("call.cancelled"))
    if incident.cancel_asked_utc is not None:
        yield Badge("cross", "warn", t("call.cancel_asked"))
    yield from _who_is_there(incident, t)
    if incident.is_open and incident.reopened_utc is not None:
        yield Badge("back", "warn", t("call.reopened"))
    if not incident.synced:
        yield Badge("clock", "warn", t("call.unsynced"))
    elif (delay := incident.received_utc - incident.raised_utc) > CAME_LATE_S:
        yield Badge("clock", "warn", t("call.came_late", clock=times.span(delay)))


def _how(incident: Incident, t: Texts) -> Iterator[Badge]:
    """Yield how it was called, and how often."""
    if incident.kind is Kind.TEST:
        yield Badge("ring", "plain", t("call.test"))
    if incident.is_test:
        yield Badge("clock", "warn", t("call.test_waits"))
    if incident.is_hazard:
        yield Badge("flame", "bad", t("call.hazard"))
    if incident.is_spoken:
        yield Badge("voice", "plain", t("call.by_voice"))
    if incident.about == COUNTER_RESTARTED:
        yield Badge("clock", "warn", t("call.counter_restarted"))
    if incident.presses > 1:
        key = "call.presses" if incident.is_pressed else "call.again"
        yield Badge("bell", "bad", t(key, n=incident.presses))
    if incident.again_utc is not None:
        yield Badge("bell", "bad", t("call.unanswered"))
    if incident.needs_person and incident.last_deed in _GIVEN_BACK:
        yield Badge("back", "warn", t("call.given_back"))


def _who_is_there(incident: Incident, t: Texts) -> Iterator[Badge]:
    if incident.stage is Stage.PRESENT:
        yield Badge("person", "good", t("call.on_site"))
    elif incident.is_open and incident.sent_utc is not None:
        yield Badge("person", "plain", t("call.sent"))


def urgent_first(incident: Incident) -> tuple[bool, bool, bool, int, float]:
    """Return the sort key: tests last, before them sunken calls; fire first, then by priority."""
    test, urgency = incident.kind is Kind.TEST, URGENCY.get(incident.kind, 0)
    return test, _has_sunk(incident), not incident.is_hazard, urgency, incident.waiting_utc


def _has_sunk(incident: Incident) -> bool:
    """Return whether it was cancelled, or cleared by a sign of life: it sinks below the others."""
    cleared = incident.cleared_utc is not None and incident.kind in _ENDS_WITH_LIFE
    return cleared or incident.cancelled_utc is not None


def _newest_first(incident: Incident) -> float:
    return -incident.last_utc
