"""Where the resident is: home, asleep or away, as far as the house can tell.

    Home --exit door, then nothing for `exit_s`--> Away --the door, or activity twice--> Home
     '--"I'm going out"--> Away, for `declared_away_s` at most; who fetches a coat and passes
     |                     the door within `leave_s` of saying so is still leaving
     '--quiet at an hour of rest--> Asleep --any activity--> Home

The resident may tell of a visitor. The visit ends when the visitor leaves, when the resident goes
out, sleeps or calls, or after `visitor_s`. It delays no judgement and makes none milder; only, what
began during it teaches nothing about the resident.

A contact that is no exit (a cupboard, a fridge, an inner door) is moved by somebody inside. One
lone pulse in an empty house is no return: sensors misfire. Somebody who comes in and falls at once
opened the door to come in, so the quiet after it is not an absence.
"""

from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.contract.voice import Phrase
from hub.core.activity.habits import with_longest
from hub.core.model.activity import NEVER, House, Presence, Quiet
from hub.core.model.effects import Say
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step, without_visitor

HOME, AWAY = PresenceKind.HOME, PresenceKind.AWAY  # slow to look up in Python 3.11
ABSENCE = "absence"  # among the longest of a home's routines
BLIPS, BLIPS_S = 3, 3 * 3600.0  # so many lone pulses, each within this of the last, are somebody
SHUT_S = 60.0  # a door is shut for far longer than it is open
SAME_S = 20.0  # a second pulse of the same sensor within this is the same movement


def exit_door_moved(state: HomeState, at: float, rules: Rules, *, ajar: bool) -> HomeState:
    """Apply an edge of the exit door: it ends an absence, or may begin one."""
    old = state.house.presence
    if _leaves(old, at, rules):
        return _with(state, replace(old, door_at=at))
    away = old.kind is AWAY
    if away and teaches(state.house, old.since):
        habits = with_longest(state.habits, ABSENCE, at - old.since)
        state = replace(state, habits=habits)
    again = at - old.door_at <= rules.quiet.passage_s
    new = Presence(
        HOME if away else old.kind,
        at if away else old.since,
        door_at=at,
        ajar=ajar,
        came_in=old.came_in if again and not away else away,
    )
    return _with(state, new)


def take_activity(state: HomeState, device: str, at: float, rules: Rules) -> tuple[HomeState, bool]:
    """Apply activity; return whether it counts: a lone pulse in an empty house does not."""
    old = state.house.presence
    if old.kind is HOME or _leaves(old, at, rules):
        return state, True
    if old.kind is not AWAY:
        return _with(state, replace(old, kind=HOME, since=at)), True
    since_s = at - old.blip_at
    if since_s <= SAME_S and device == old.blip_by:
        return state, False
    blips = old.blips + 1 if since_s <= BLIPS_S else 1
    if blips >= BLIPS or since_s <= rules.quiet.return_s:
        return _with(state, Presence(HOME, at, door_at=old.door_at)), True
    return _with(state, replace(old, blip_at=at, blip_by=device, blips=blips)), False


def inner_contact(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Apply a contact that is no exit: somebody is inside and has not left before."""
    old = state.house.presence
    if _leaves(old, at, rules):
        return state
    if old.kind is not HOME:
        return _with(state, Presence(HOME, at))
    if old.came_in or old.door_at == NEVER:
        return state
    return _with(state, replace(old, door_at=NEVER))


def at_home(state: HomeState, at: float) -> HomeState:
    """Return the resident as at home: they pressed, they spoke, or somebody was called."""
    old = state.house.presence
    if old.kind is HOME:
        return state
    return _with(state, Presence(HOME, at, door_at=old.door_at, came_in=True))


def take_declaration(state: HomeState, at: float, *, away: bool, rules: Rules) -> Step:
    """Apply the resident's own word that they go out, or that they are back."""
    if not away:
        back = state.house.presence.kind is AWAY
        return at_home(state, at), [Say(Phrase.WELCOME_HOME)] if back else []
    state = without_visitor(state, at)
    until = at + rules.quiet.declared_away_s
    return _with(state, Presence(AWAY, at, until)), [Say(Phrase.AWAY_NOTED)]


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Begin an absence when nothing followed the door; end a declared one when its time is up.

    Nobody was quiet during the absence: the quiet begins at its end.
    """
    due = next_wake(state, rules)
    if due is None or due > at:
        return state, []
    old = state.house.presence
    if old.kind is AWAY:
        state = at_home(state, at)
        return replace(state, house=replace(state.house, quiet=Quiet(since=at))), []
    left_at = state.house.active_at
    state = without_visitor(state, due)
    return _with(state, Presence(AWAY, left_at, door_at=old.door_at)), []


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when an absence begins, or a declared one is over."""
    presence, last = state.house.presence, state.house.active_at
    if presence.kind is AWAY:
        return presence.until
    if last - presence.door_at > rules.quiet.linger_s:  # the usual case
        return None
    if presence.came_in or presence.ajar or presence.door_at == NEVER:
        return None
    return max(last, presence.door_at) + rules.quiet.exit_s


def asleep(state: HomeState, at: float) -> HomeState:
    """Return the resident as asleep, in a quiet that is usual at this hour."""
    old = state.house.presence
    if old.kind not in {HOME, PresenceKind.UNKNOWN}:
        return state
    return _with(without_visitor(state, at), replace(old, kind=PresenceKind.ASLEEP, since=at))


def with_visitor(state: HomeState, at: float, rules: Rules) -> HomeState:
    """Apply the word that somebody is with the resident; it does not say that they are home.

    The television may have said it, so it is no sign of life.
    """
    if state.house.presence.kind is not HOME:
        return state
    until = at + rules.quiet.visitor_s
    return replace(state, house=replace(state.house, visitor_until=until))


def teaches(house: House, since: float) -> bool:
    """Whether what began at `since`, and is over, was the resident alone and may be learned."""
    return since >= house.visitor_until


def declared(presence: Presence) -> bool:
    """Whether the resident has said that they are out: only that may silence anything."""
    return presence.kind is AWAY and presence.until is not None


def as_told(house: House, at: float) -> PresenceKind:
    """Return where the resident is, as people are told: a visitor comes before being at home."""
    visitor = house.presence.kind is HOME and at < house.visitor_until
    return PresenceKind.VISITOR if visitor else house.presence.kind


def _leaves(presence: Presence, at: float, rules: Rules) -> bool:
    """Whether a resident who said that they go out may still be on the way to the door."""
    return presence.until is not None and at - presence.since <= rules.quiet.leave_s


def _with(state: HomeState, presence: Presence) -> HomeState:
    return replace(state, house=replace(state.house, presence=presence))
