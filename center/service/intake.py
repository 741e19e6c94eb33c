"""A hub's message into the store: one job each, which returns the acks and the pages' updates."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from center.domain import acks, by_hubs, installation, times
from center.domain.by_hubs import PATIENCE, Heard
from center.domain.incident import Patience
from center.domain.need import NeedKind
from center.service import own_faults, surplus
from center.service.feed import Topic, Update
from center.store.rows import (
    days,
    deliveries,
    hubs,
    incidents,
    installations,
    leases,
    limits,
    needs,
    presses,
    vitals,
    words,
)
from hub.contract.messages import (
    Ack,
    Activity,
    AlarmEvent,
    AnnouncementEvent,
    Availability,
    CareEvent,
    CheckInEvent,
    CheckInResult,
    Cleared,
    FaultKind,
    FaultReport,
    FromHub,
    HubState,
    InstallReport,
    OtherEvent,
    Reply,
    ReportEvent,
    Telemetry,
    Vitals,
)
from hub.contract.reading import UNREAD
from hub.contract.scaip import DETECTED, Care, What

WORDLESS = 2  # answers without a word, after which the hub asks no more and there is a task
_ASKS_FOR_A_CALL = {
    CheckInResult.MISSED: NeedKind.MISSED_CHECKIN,
    CheckInResult.UNCLEAR: NeedKind.UNCLEAR,
    CheckInResult.UNWELL: NeedKind.UNWELL,  # its need may come as an event, too: they are folded
}
_LIFE = frozenset({CheckInResult.FINE, CheckInResult.ALIVE, CheckInResult.UNWELL})
_CARE = {
    Care.COUNSELLING: NeedKind.COUNSELLING,
    Care.LOW_MOOD: NeedKind.LOW_MOOD,
    Care.UNWELL: NeedKind.UNWELL,
    Care.NOT_BACK: NeedKind.NOT_BACK,
    Care.READING: NeedKind.READING,
}


class Received(Struct, frozen=True):
    """A hub's message as it came, and when (UTC seconds); `lost` is what could not be read."""

    hub: str
    message: FromHub | OtherEvent
    raw: str
    retained: bool
    utc: float
    patience: Patience = PATIENCE
    lost: tuple[str, ...] = ()


class Told(Struct, frozen=True):
    """What to send after the commit: acks to the hub, updates to the pages."""

    acks: tuple[Ack, ...] = ()
    updates: tuple[Update, ...] = ()
    duplicate: bool = False


def store_message(conn: Connection, received: Received) -> Told:
    """Store a hub's message; return what to send after the commit."""
    back = _heard(conn, received)
    told = _store_by_kind(conn, received)
    if not back:
        return told
    return replace(told, updates=(*told.updates, Update(Topic.HUB, received.hub)))


def _store_by_kind(conn: Connection, received: Received) -> Told:
    message = received.message
    match message:
        case AlarmEvent():
            return _alarm(conn, received, message)
        case ReportEvent() | OtherEvent():
            return _plain(conn, received, message)
        case CheckInEvent() | CareEvent() | AnnouncementEvent():
            return _daily(conn, received, message)
        case Activity():
            days.keep_activity(conn, received.hub, message, received.utc)
            return Told(updates=(Update(Topic.HOME, received.hub),))
        case HubState():
            return _state(conn, received, message)
        case FaultReport() | Cleared():
            return _fault(conn, received, message)
        case _:
            return _store_other(conn, received, message)


def _store_other(
    conn: Connection, received: Received, message: Telemetry | Vitals | Reply | InstallReport
) -> Told:
    match message:
        case Telemetry():
            hubs.keep_telemetry(conn, received.hub, received.raw, received.utc)
            return Told()
        case InstallReport():
            return _installed(conn, received, message)
        case Vitals():
            return _vitals(conn, received, message)
        case Reply():
            return _reply(conn, received, message)
        case _:
            assert_never(message)


def _installed(conn: Connection, received: Received, said: InstallReport) -> Told:
    """Store what a hub shows, where somebody installs it; of a kept message no age is known."""
    one = installations.find(conn, received.hub)
    if one is None or one.finished_utc is not None or received.retained:
        return Told()
    after = installation.shown(one, said, received.utc)
    changed = installations.save(conn, one, installations.refreshed(conn, after, received.utc))
    return Told(updates=(Update(Topic.INSTALL, received.hub),) if changed else ())


def _vitals(conn: Connection, received: Received, said: Vitals) -> Told:
    """Store readings of the body, where the resident consented; else they leave no trace."""
    if not vitals.keep(conn, received.hub, said, received.utc):
        return Told()
    return Told(updates=(Update(Topic.VITALS, received.hub),))


def _alarm(conn: Connection, received: Received, event: AlarmEvent) -> Told:
    event = _gathered(conn, received, event)
    hub, utc, alarm = received.hub, received.utc, event.data.alarm
    incident = incidents.incident_of(conn, hub, alarm)
    shared = None if incident else surplus.of_alarm(conn, hub, alarm)
    fresh = incidents.keep_event(conn, hub, event, words.bare(event, received.raw), utc)
    known = incident or surplus.as_of(shared, alarm)
    if not fresh and known:
        return Told(acks.of_event(event.id, known, utc), duplicate=True)
    ident = "" if incident else incidents.free_id(conn, hub, alarm)
    heard = Heard(event, hub, ident, times.of_rfc3339(event.time, utc), utc, received.patience)
    updates = []
    if shared or (incident is None and surplus.is_full(conn, hub)):
        incident = surplus.add(conn, shared, heard, received.lost)
        own_faults.see(conn, hub, FaultKind.CROWDED, utc)
        updates.append(Update(Topic.HUB, hub))
    else:
        change = by_hubs.partly_read(by_hubs.fold(incident, heard), received.lost)
        begun, incident = incident is None, incidents.save(conn, change)
        incident = leases.judged(conn, incident, heard, begun=begun)
        begun = begun and not incident.is_test
        incident, awaited = presses.tested(conn, incident, heard, begun=begun)
        updates += [Update(Topic.NEED, hub)] if awaited else []
    words.keep(conn, hub, incident.id, event, utc)
    updates.append(Update(Topic.ALARM, incident.id, incident.version))
    shows_life = event.data.what is What.CLEARED and event.data.kind not in DETECTED
    if shows_life and needs.ease(conn, hub, utc):
        updates.append(Update(Topic.NEED, hub))
    return Told(acks.of_event(event.id, replace(incident, alarm=alarm), utc), tuple(updates))


def _gathered(conn: Connection, received: Received, event: AlarmEvent) -> AlarmEvent:
    """Return a call without an alarm as one of its hub's open unread alarm, if there is one."""
    if not event.data.alarm.startswith(UNREAD):
        return event
    alarm = incidents.unread_alarm(conn, received.hub, event) or event.data.alarm
    return replace(event, data=replace(event.data, alarm=alarm))


def _daily(
    conn: Connection, received: Received, event: CheckInEvent | CareEvent | AnnouncementEvent
) -> Told:
    ack = acks.of_word(event.id, received.utc)
    raw = words.bare(event, received.raw)
    if not incidents.keep_event(conn, received.hub, event, raw, received.utc):
        return Told((ack,), duplicate=True)
    if isinstance(event, AnnouncementEvent):
        news = deliveries.tell(conn, received.hub, event, received.utc)
        return Told((ack,), (Update(Topic.ANNOUNCEMENT, received.hub),) if news else ())
    topics = _keep_word(conn, received.hub, event, received.utc)
    return Told((ack,), tuple(Update(topic, received.hub) for topic in topics))


def _keep_word(
    conn: Connection, hub: str, event: CheckInEvent | CareEvent, utc: float
) -> tuple[Topic, ...]:
    """Store a check-in or need that was never seen before; return the topics to update."""
    if isinstance(event, CareEvent) and event.data.care is Care.BACK:
        return (Topic.NEED, Topic.HOME) if needs.ease(conn, hub, utc) else ()
    if isinstance(event, CareEvent):
        asked = needs.Asked(hub, _kind_of(event.data.care), event.id, event.data.score)
        needs.open_need(conn, asked, utc)
        return (Topic.NEED, Topic.HOME)
    if not days.keep_checkin(conn, hub, event, utc):
        return ()  # a newer report of this check-in is stored already
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
    """Return the kind of task for a need; one that only a newer hub knows is a task, too."""
    return _CARE.get(care) or NeedKind.of(care)


def _plain(conn: Connection, received: Received, event: ReportEvent | OtherEvent) -> Told:
    """Store an event that needs no person; one of a newer hub is acked, as it may wait for that."""
    fresh = incidents.keep_event(conn, received.hub, event, received.raw, received.utc)
    owed = (acks.of_word(event.id, received.utc),) if isinstance(event, OtherEvent) else ()
    return Told(owed, duplicate=not fresh)


def _state(conn: Connection, received: Received, state: HubState) -> Told:
    if not received.retained:
        own_faults.note_boot(conn, received.hub, state, received.utc)
    hubs.keep_state(conn, received.hub, state)
    if state.state is Availability.READY and not received.retained:
        hubs.match_faults(conn, received.hub, state.faults, received.utc)
        deliveries.hasten(conn, received.hub, received.utc)
        limits.report(conn, received.hub, state, received.utc)
    calls = []
    if state.state is not Availability.LOST:  # the broker's word, perhaps of an older boot
        calls = leases.restarted(conn, received.hub, state.boot, received.utc)
    answers: list[Ack] = []
    for brief in state.alarms:
        incident = incidents.incident_of(conn, received.hub, brief.alarm)
        change = incident and by_hubs.catch_up(incident, brief.version, received.utc)
        if change:
            incident = incidents.save(conn, change)
        else:
            shared = None if incident else surplus.of_alarm(conn, received.hub, brief.alarm)
            incident = incident or surplus.as_of(shared, brief.alarm)
        ack = acks.of_brief(brief, incident, received.utc)
        if ack:
            answers.append(ack)
    rings = (Update(Topic.ALARM, one.id, one.version) for one in calls)
    return Told(tuple(answers), (*_told_of_hub(received).updates, *rings))


def _fault(conn: Connection, received: Received, said: FaultReport | Cleared) -> Told:
    """Store that a fault came or went; a hub cannot report or end the centre's own faults."""
    if said.fault.startswith(hubs.OWN):
        return Told()
    if isinstance(said, Cleared):
        hubs.clear_fault(conn, received.hub, said.fault, received.utc)
    else:
        hubs.raise_fault(conn, received.hub, said, received.utc)
    return _told_of_hub(received)


def _reply(conn: Connection, received: Received, said: Reply) -> Told:
    hubs.keep_reply(conn, received.hub, said, received.utc)
    leases.reply(conn, received.hub, said, received.utc)
    updates = _told_of_hub(received).updates
    if deliveries.reply(conn, received.hub, said, received.utc):
        updates = (*updates, Update(Topic.ANNOUNCEMENT, received.hub))
    if limits.reply(conn, received.hub, said, received.utc):
        updates = (*updates, Update(Topic.VITALS, received.hub))
    return Told(updates=updates)


def _heard(conn: Connection, received: Received) -> bool:
    """Note that a hub spoke; return whether it was removed and is back by its own message."""
    message, utc = received.message, received.utc
    lost = isinstance(message, HubState) and message.state is Availability.LOST
    if lost:
        utc = 0.0  # the broker said so, not the hub
    elif received.retained:  # said some time ago: at best when its own clock says
        said = message.utc if isinstance(message, HubState) and message.synced else 0.0
        utc = min(utc, said)
    hubs.heard(conn, received.hub, utc, received.utc)
    by_itself = not received.retained and not lost
    return by_itself and hubs.comes_back(conn, received.hub, received.utc)


def _told_of_hub(received: Received) -> Told:
    return Told(updates=(Update(Topic.HUB, received.hub),))
