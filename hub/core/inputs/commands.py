"""Commands of the centre, and the hub's own readings for it."""

from typing import assert_never

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Command, CommandKind, Reply, Telemetry
from hub.contract.scaip import Kind
from hub.contract.wire import Reason
from hub.core.alarm import alarm
from hub.core.inputs import announcements, installing, pairing, testing
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import CommandReceived, Measured
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step, numbered
from hub.core.vitals import vitals

CENTER = "center"
AT_ANY_AGE = CommandKind.INSTALL_FOLLOW  # obeyed whatever the clocks say; see `obey`


def obey(state: HomeState, event: CommandReceived, rules: Rules) -> Step:
    """Obey a command once and in time; refuse a stale, repeated or unknown one, with a reply.

    How old a command is, only two right clocks can tell. `AT_ANY_AGE` asks a hub to show itself,
    its clock among the rest: one with a wrong clock would refuse it and could never show why. It
    changes nothing in the home. Its counter counts as any other's, so one that somebody held back
    is obeyed once at most, and has the hub report to its own centre for 15 minutes at most.
    """
    command = event.command
    if command.counter <= state.counter:
        return _reply(state, command, rules, Reason.REPLAYED)
    state = replace(state, counter=command.counter)
    lasts_s = command.expires_utc - event.utc
    if not command.kind.is_known:
        return _reply(state, command, rules, Reason.UNKNOWN)
    in_time = 0 <= lasts_s <= rules.command_age_s or command.kind is AT_ANY_AGE
    if state.clock.synced and not in_time:
        return _reply(state, command, rules, Reason.EXPIRED)
    done = _do(state, command, event.at, rules)
    if done is None:
        return _reply(state, command, rules, Reason.NOT_NOW)
    state, effects = done
    state, replied = _reply(state, command, rules)
    return state, effects + replied


def telemetry(state: HomeState, event: Measured, rules: Rules) -> Step:
    """Send readings to the centre; they go last and may be dropped, which is counted."""
    state, key = numbered(state)
    utc, synced = state.clock.utc(event.at), state.clock.synced
    payload = wire.encode(Telemetry(utc, synced, event.readings, event.dropped))
    return state, [Publish(key, Lane.TELEMETRY, wire.topic(rules.hub, "telemetry"), payload)]


def _do(state: HomeState, command: Command, at: float, rules: Rules) -> Step | None:
    match command.kind:
        case CommandKind.ANNOUNCE:
            return announcements.accept(state, command, at, rules)
        case CommandKind.TEST_CALL:
            return alarm.call(state, Kind.TEST, CENTER, at, rules)
        case CommandKind.VITAL_LIMITS:
            return vitals.set_limits(state, command.limits, rules)
        case CommandKind.OPEN_PAIRING | CommandKind.ANSWER_PAIRING:
            return pairing.obey(state, command, at, rules)
        case CommandKind.TEST_MODE:
            return testing.obey(state, command, at)
        case CommandKind.SOUND_CHECK:
            return installing.check_sound(state, rules)
        case CommandKind.INSTALL_FOLLOW:
            return installing.obey(state, command, at)
        case _:
            assert_never(command.kind)


def _reply(state: HomeState, command: Command, rules: Rules, refused: Reason | None = None) -> Step:
    reply = Reply(command.id, done=refused is None, reason=refused or "")
    topic = wire.topic(rules.hub, "reply")
    return state, [Publish(f"reply/{command.id}", Lane.LIVE, topic, wire.encode(reply))]
