"""Announcements of the centre: a heat wave, a disaster, a worker's visit; each with its receipt.

    ordered --nothing hinders--> said --`Spoke`--> spoken
       |                          '--no receipt, three times--> unspoken
       '--its time is over--> expired

One that is not urgent waits for the end of the quiet hours, of an alarm or question, of sleep and
absence; an urgent one waits only while the hub asks whether help is needed.
"""

from msgspec.structs import replace

from hub.contract import scaip, wire
from hub.contract.messages import (
    AnnouncementData,
    AnnouncementEvent,
    AnnouncementOutcome,
    Command,
    PresenceKind,
)
from hub.contract.times import left_of
from hub.contract.voice import Phrase
from hub.core.alarm import delivery
from hub.core.checkin.reports import hindered
from hub.core.model.checkin import asking
from hub.core.model.effects import Effect, Say
from hub.core.model.events import Spoke
from hub.core.model.rules import Rules
from hub.core.model.state import Announcement, HomeState, Step, numbered

TRIES = 3
LOOK_S = 60.0  # a notice that must wait is looked at again
RECEIPT_S = 300.0  # the longest text takes less to speak
MOST = 20  # notices that wait; the oldest then goes unspoken. As many that are over are known
NOT_THERE = {PresenceKind.AWAY, PresenceKind.ASLEEP}


def accept(state: HomeState, command: Command, at: float, rules: Rules) -> Step:
    """Take an announcement, and speak it if nothing hinders; one that is known is only replied to.

    The centre orders anew until it hears that the hub has it: `counter` rises, the `id` stays.
    """
    if any(n.id == command.id for n in state.notices):
        return state, []
    new = Announcement(command.id, command.text, command.urgent, command.until_utc, at)
    effects: list[Effect] = []
    waiting = _waiting(state)
    if len(waiting) >= MOST:
        state, effects = _over(state, waiting[0], AnnouncementOutcome.UNSPOKEN, at, rules)
    state, more = elapse(replace(state, notices=(*state.notices, new)), at, rules)
    return state, effects + more


def take_receipt(state: HomeState, event: Spoke, rules: Rules) -> Step:
    """Take the receipt; of what was cut short there is none, and it is said once more."""
    notice = next((n for n in _waiting(state) if n.id == event.receipt), None)
    if notice is None:
        return state, []
    if event.done:
        return _over(state, notice, AnnouncementOutcome.SPOKEN, event.at, rules)
    # while it has time, what could not be spoken is no try: the loudspeaker may come back
    tries = notice.tries - 1 if notice.until_utc else notice.tries
    return _put(state, replace(notice, due_at=event.at + LOOK_S, tries=max(tries, 0))), []


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Say what is due; give up on what nobody spoke, or what is out of date."""
    effects: list[Effect] = []
    for notice in _waiting(state):
        if notice.due_at <= at:
            state, more = _try(state, notice, at, rules)
            effects += more
    return state, effects


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Give when an announcement is to be tried."""
    return min((n.due_at for n in _waiting(state)), default=None)


def recovered(notices: tuple[Announcement, ...], at: float) -> tuple[Announcement, ...]:
    """Let each be tried again once the voice has come up."""
    return tuple(replace(n, due_at=at + LOOK_S) for n in notices)


def _try(state: HomeState, notice: Announcement, at: float, rules: Rules) -> Step:
    utc = state.clock.utc(at)
    if notice.until_utc and state.clock.synced and notice.until_utc < utc:
        return _over(state, notice, AnnouncementOutcome.EXPIRED, at, rules)
    if notice.tries >= TRIES:
        return _over(state, notice, AnnouncementOutcome.UNSPOKEN, at, rules)
    others = (n for n in _waiting(state) if n.id != notice.id and n.urgent >= notice.urgent)
    under_way = any(n.tries and n.due_at > at for n in others)
    if under_way or _must_wait(state, at, rules, urgent=notice.urgent):
        return _put(state, replace(notice, due_at=at + LOOK_S)), []
    said = Say(Phrase.ANNOUNCEMENT, notice.text, notice.id, notice.urgent)
    return _put(state, replace(notice, due_at=at + RECEIPT_S, tries=notice.tries + 1)), [said]


def _must_wait(state: HomeState, at: float, rules: Rules, *, urgent: bool) -> bool:
    if state.warning is not None or state.candidate is not None:
        return True
    if urgent:
        return False
    if hindered(state) or asking(state.care) or state.house.presence.kind in NOT_THERE:
        return True
    local = state.clock.local(at)
    quiet_s = left_of(rules.care.quiet_from, rules.care.quiet_until, local)
    return state.clock.synced and quiet_s > 0.0


def _over(
    state: HomeState, notice: Announcement, outcome: AnnouncementOutcome, at: float, rules: Rules
) -> Step:
    """Owe the centre what became of it."""
    gone = replace(notice, text="", over=True)
    waiting = [n for n in _waiting(state) if n.id != notice.id]
    over = [*(n for n in state.notices if n.over), gone][-MOST:]
    state, event = numbered(replace(state, notices=(*over, *waiting)))
    time = wire.timestamp(state.clock.utc(at))
    block = scaip.of_announcement(event)
    data = AnnouncementData(notice.id, outcome, state.clock.synced, block)
    kind = f"anbu.announcement.{outcome}"
    message = AnnouncementEvent(event, wire.source(rules.hub), kind, time, data)
    return delivery.deliver_event(state, message, at, rules)


def _waiting(state: HomeState) -> list[Announcement]:
    return [notice for notice in state.notices if not notice.over]


def _put(state: HomeState, notice: Announcement) -> HomeState:
    return replace(state, notices=tuple(notice if n.id == notice.id else n for n in state.notices))
