"""The state that an older process left, when the disk gives it only after this one has begun.

Until then this process treated the home as new. `joined` makes one state of both: what was not
delivered, open or learned goes on, and what happened meanwhile is applied to it.
"""

from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, PresenceKind
from hub.core.activity import habits
from hub.core.alarm import warning
from hub.core.checkin import checkin
from hub.core.model import wireless
from hub.core.model.activity import NEVER, House, Presence, proved_at
from hub.core.model.checkin import CareState, LifeWatch
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.model.supervision import WatchState
from hub.core.supervision import snapshot
from hub.core.vitals import restart

AWAY, HOME, UNKNOWN = PresenceKind.AWAY, PresenceKind.HOME, PresenceKind.UNKNOWN


def joined(old: HomeState, new: HomeState, rules: Rules) -> Step:
    """Return `new` with all of `old`, which `decide.recover` has fitted to this process."""
    owed = {o.id: o for o in (*old.owed, *new.owed)}
    state = replace(
        new,
        order=max(old.order, new.order),
        contacts={**old.contacts, **new.contacts},
        alarms=(*old.alarms, *new.alarms),
        warning=new.warning or old.warning,
        candidate=new.candidate or old.candidate,
        phones={**old.phones, **new.phones},
        notices=tuple({n.id: n for n in (*old.notices, *new.notices)}.values()),
        owed=tuple(owed.values()),
        faults={**old.faults, **new.faults},
        habits=habits.merged(old.habits, new.habits),
        house=_house(old.house, new.house),
        care=_care(old.care, new.care, lone=_is_lone_pulse(old.house, new.house)),
        watch=_supervised(old.watch, new.watch),
        wireless=wireless.joined(old.wireless, new.wireless),
        vitals=restart.joined(old.vitals, new.vitals),
        limits=old.limits if new.limits is None else new.limits,
        counter=max(old.counter, new.counter),
    )
    state, told = snapshot.tell_start(state, new.care.began_at, rules)
    state, more = _end_by_life(state, old, new, rules)
    return state, told + more


def _end_by_life(state: HomeState, old: HomeState, new: HomeState, rules: Rules) -> Step:
    """End, by a sign of life since the start, what it would have ended."""
    life_at = max(proved_at(new.house), new.care.life_at or NEVER)
    if life_at <= new.care.began_at or _is_lone_pulse(old.house, new.house):
        return state, []
    if new.warning is None:  # no warning was spoken by this process, so no words end it
        state, _ = warning.end_by_motion(state, new.house.active_by, rules)
    return checkin.take_life_sign(state, life_at, AnsweredBy.MOTION, rules)


def _is_lone_pulse(old: House, new: House) -> bool:
    """Whether all that was seen may be one pulse in an empty house: sensors misfire."""
    away, seen = old.presence.kind is AWAY, new.presence
    by_door = seen.door_at != NEVER or seen.came_in
    return away and seen.kind is HOME and not by_door and bool(new.lone.device)


def _house(old: House, new: House) -> House:
    sensed, noisy = {**old.sensed, **new.sensed}, {**old.noisy, **new.noisy}
    if _is_lone_pulse(old, new):
        pulse = replace(old.presence, blip_at=new.active_at, blip_by=new.active_by, blips=1)
        return replace(old, sensed=sensed, noisy=noisy, presence=pulse, hour_at=new.hour_at)
    visitor = old.visitor_until if new.visitor_until == NEVER else new.visitor_until
    presence = _presence(old.presence, new.presence)
    nobody_moved = new.active_at == NEVER
    base = replace(old, hour_at=new.hour_at) if nobody_moved else new
    return replace(
        base,
        sensed=sensed,
        noisy=noisy,
        presence=presence,
        visitor_until=visitor,
        overdue=old.overdue or new.overdue,  # the centre expects to hear that they are back
    )


def _presence(old: Presence, new: Presence) -> Presence:
    """Return the presence; if only the door was seen, what that would have meant for `old`."""
    if new.kind is not UNKNOWN:
        return new
    if new.door_at == NEVER:
        return old
    if old.kind is AWAY:
        return replace(new, kind=HOME, since=new.door_at, came_in=True)
    return replace(new, kind=old.kind, since=old.since, until=old.until)


def _care(old: CareState, new: CareState, *, lone: bool) -> CareState:
    """Go on with every wait; drop what this process began only because it did not know better."""
    seen = new.life_at is not None and new.life_at > new.began_at and not lone
    lives = [at for at in (old.life_at, new.life_at if seen else None) if at is not None]
    asked = new.turn > 0 or old.looked_local is None
    return replace(
        old,
        visit=new.visit or old.visit,
        missed=new.missed or old.missed,
        screening=new.screening or old.screening,
        turn=old.turn + new.turn,
        begun_at=old.begun_at if new.begun_at is None else new.begun_at,
        looked_local=new.looked_local if asked else old.looked_local,
        told_at={**old.told_at, **new.told_at},
        screened_utc=new.screened_utc if old.screened_utc is None else old.screened_utc,
        life_at=max(lives, default=None),
        rung=old.rung if new.rung is LifeWatch.WATCHING else new.rung,
        noted_at=max(old.noted_at, new.noted_at),
        anchor=old.anchor or new.anchor,
        dark_at=new.dark_at if old.dark_at is None else old.dark_at,
    )


def _supervised(old: WatchState, new: WatchState) -> WatchState:
    """Go on with what was wrong and untold; `due` is now, so that all of it is looked at again."""
    return replace(
        new,
        due=new.began_at,
        words=old.words | new.words,
        batteries=old.batteries | new.batteries,
        mains=old.mains | new.mains,
        flickers=old.flickers | new.flickers,
        flaps=old.flaps | new.flaps,
        untold=tuple(dict.fromkeys(old.untold + new.untold)),
        waiting=old.waiting + new.waiting,
    )
