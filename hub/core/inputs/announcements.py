"""Announcements of the centre: a heat wave, a disaster, a worker's visit; each has its receipt.

    ordered --nothing hinders--> said --`Spoke`--> spoken
       |                          '--no receipt, three times--> unspoken
       '--its time is over--> expired

One that is not urgent waits for the end of the quiet hours, of an alarm or question, of sleep and
absence. An urgent one waits only while the hub asks whether help is needed.
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

MOST_TRIES = 3
LOOK_S = 60.0  # one that must wait is tried again after this
RECEIPT_S = 300.0  # the longest text takes less to speak
MOST = 20  # that wait; with more the oldest goes unspoken. As many that are over are kept
NOT_THERE = {PresenceKind.AWAY, PresenceKind.ASLEEP}


def accept(state: HomeState, command: Command, at: float, rules: Rules) -> Step:
    """Accept an announcement, and speak it if nothing hinders; a known one gets only the reply.

    The centre orders it again until it hears that the hub has it: `counter` rises, the `id` stays.
    """
    if any(n.id == command.id for n in state.notices):
        return state, []
    new = Announcement(command.id, command.text, command.urgent, command.until_utc, at)
    effects: list[Effect] = []
    waiting = _waiting(state)
    if len(waiting) >= MOST:
        state, effects = _end(state, waiting[0], AnnouncementOutcome.UNSPOKEN, at, rules)
    state, more = elapse(replace(state, notices=(*state.notices, new)), at, rules)
    return state, effects + more


def take_receipt(state: HomeState, event: Spoke, rules: Rules) -> Step:
    """Apply the receipt; one that was not spoken to its end is said again."""
    announcement = next((n for n in _waiting(state) if n.id == event.receipt), None)
    if announcement is None:
        return state, []
    if event.done:
        return _end(state, announcement, AnnouncementOutcome.SPOKEN, event.at, rules)
    # while there is time, a failure is no try: the loudspeaker may come back
    tries = announcement.tries - 1 if announcement.until_utc else announcement.tries
    return _with_announcement(
        state, replace(announcement, due_at=event.at + LOOK_S, tries=max(tries, 0))
    ), []


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Say what is due; give up what could not be spoken, or what is out of date."""
    effects: list[Effect] = []
    for announcement in _waiting(state):
        if announcement.due_at <= at:
            state, more = _speak(state, announcement, at, rules)
            effects += more
    return state, effects


def next_wake(state: HomeState, _rules: Rules) -> float | None:
    """Return when an announcement is to be tried."""
    return min((n.due_at for n in _waiting(state)), default=None)


def recovered(notices: tuple[Announcement, ...], at: float) -> tuple[Announcement, ...]:
    """Return the announcements as a new process holds them: tried once the voice runs."""
    return tuple(replace(n, due_at=at + LOOK_S) for n in notices)


def _speak(state: HomeState, announcement: Announcement, at: float, rules: Rules) -> Step:
    utc = state.clock.utc(at)
    if announcement.until_utc and state.clock.synced and announcement.until_utc < utc:
        return _end(state, announcement, AnnouncementOutcome.EXPIRED, at, rules)
    if announcement.tries >= MOST_TRIES:
        return _end(state, announcement, AnnouncementOutcome.UNSPOKEN, at, rules)
    others = (
        n for n in _waiting(state) if n.id != announcement.id and n.urgent >= announcement.urgent
    )
    under_way = any(n.tries and n.due_at > at for n in others)
    if under_way or _must_wait(state, at, rules, urgent=announcement.urgent):
        return _with_announcement(state, replace(announcement, due_at=at + LOOK_S)), []
    said = Say(Phrase.ANNOUNCEMENT, announcement.text, announcement.id, announcement.urgent)
    return _with_announcement(
        state, replace(announcement, due_at=at + RECEIPT_S, tries=announcement.tries + 1)
    ), [said]


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


def _end(
    state: HomeState,
    announcement: Announcement,
    outcome: AnnouncementOutcome,
    at: float,
    rules: Rules,
) -> Step:
    """Deliver to the centre what became of an announcement."""
    gone = replace(announcement, text="", over=True)
    waiting = [n for n in _waiting(state) if n.id != announcement.id]
    over = [*(n for n in state.notices if n.over), gone][-MOST:]
    state, event = numbered(replace(state, notices=(*over, *waiting)))
    time = wire.timestamp(state.clock.utc(at))
    block = scaip.of_announcement(event)
    data = AnnouncementData(announcement.id, outcome, state.clock.synced, block)
    kind = f"anbu.announcement.{outcome}"
    message = AnnouncementEvent(event, wire.source(rules.hub), kind, time, data)
    return delivery.deliver_event(state, message, at, rules)


def _waiting(state: HomeState) -> list[Announcement]:
    return [announcement for announcement in state.notices if not announcement.over]


def _with_announcement(state: HomeState, announcement: Announcement) -> HomeState:
    return replace(
        state, notices=tuple(announcement if n.id == announcement.id else n for n in state.notices)
    )
