"""The house after a restart: a quiet goes on from where it was; the time between does not count.

While the hub was off nothing was observed, so that time is neither quiet nor activity. Monotonic
time may have begun anew; all times move along with the last one that was known.
"""

from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.core.model.activity import NEVER, STEP_S, House, Lone
from hub.core.model.state import Caution

AGAIN_S = 60.0  # the least that any product waits for an answer (field.md)
LONG_AGO_S = 86_400.0


def recovered_house(old: House, at: float) -> House:
    """Return the house as of `at`, the new process's first moment in monotonic seconds."""
    sensed = {device: replace(one, known=False) for device, one in old.sensed.items()}
    old = replace(old, noisy=dict.fromkeys(old.noisy, at))
    if old.active_at == NEVER:
        return replace(old, hour_at=None, sensed=sensed)
    began_at = max(old.active_at, old.quiet.since)
    judged = began_at + old.quiet.steps * STEP_S
    # bounded: else a damaged snapshot would have each quarter of an hour of a thousand years judged
    told = min(max(old.presence.since, old.presence.door_at), judged + LONG_AGO_S)
    known = max(judged, told)
    by_s = at - known
    until, away = old.presence.until, old.presence.kind is PresenceKind.AWAY
    presence = replace(
        old.presence,
        since=old.presence.since + by_s,
        until=None if until is None else until + by_s,
        # whether somebody who is still away left by night is not known any more
        door_at=NEVER if away else old.presence.door_at + by_s,
        blip_at=NEVER,
    )
    return replace(
        old,
        sensed=sensed,
        presence=presence,
        visitor_until=old.visitor_until + by_s,
        active_at=min(old.active_at + by_s, at),  # rounding must make no life of now
        quiet=replace(old.quiet, since=old.quiet.since + by_s),
        stay=replace(old.stay, since=old.stay.since + by_s),
        lone=_lone(old.lone, by_s, at),
        slot_at=NEVER,
        slots=0,
        hour_at=None,
    )


def _lone(old: Lone, by_s: float, at: float) -> Lone:
    """Return a run that goes on; how even its pulses are must be seen anew."""
    since, last_at = min(old.since + by_s, at), old.last_at + by_s
    return replace(old, since=since, last_at=last_at, pulses=(), even_since=NEVER)


def recovered_warning(old: Caution | None, at: float) -> Caution | None:
    """Return a warning to be spoken once more; cut short twice, its alarm is due at once."""
    if old is None:
        return None
    until = at if old.cut_short else at + AGAIN_S
    return replace(old, said_at=at - LONG_AGO_S, until=until, cut_short=True)
