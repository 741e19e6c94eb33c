"""Whether the resident is at rest, by the home's other sensors: a band cannot tell.

At rest: for 5 minutes (Palatini 2006, J Hypertens 24:603-610: a resting heart rate is taken after 5
minutes of rest) no door was moved, nobody was seen in two rooms, and in one room in at most one of
these minutes. Who turns over or reaches for a cup is at rest; who climbs stairs, cooks or does
exercises is not. Without a motion sensor that can be believed nobody is known to rest.
"""

from collections.abc import Iterator

from hub.contract.messages import PresenceKind
from hub.core.model.rules import Rules, Sense
from hub.core.model.state import HomeState
from hub.core.model.vitals import Band
from hub.core.supervision import supervision

MINUTE_S = 60.0
MOST_STIRS = 1  # minutes with movement in one room
# members of an enum are slow to look up in Python 3.11
MOTION, DOORS = Sense.MOTION, (Sense.DOOR, Sense.EXIT_DOOR, Sense.WINDOW)
AWAY = PresenceKind.AWAY


def with_minute(state: HomeState, band: Band, at: float, rules: Rules) -> int:
    """Return the band's `stirs` with the minute that ends at `at`."""
    stirred = any(moved_at > at - MINUTE_S for _, moved_at in _moved(state, at, rules))
    minutes = round(rules.vitals.rest_s / MINUTE_S)
    return (band.stirs << 1 | stirred) & ((1 << minutes) - 1)


def is_at_rest(state: HomeState, band: Band, at: float, rules: Rules) -> bool:
    """Whether the resident rests at `at`, the end of a minute that is in `band.stirs`."""
    since = at - rules.vitals.rest_s
    if state.house.presence.kind is AWAY or not _sees_motion(state, rules):
        return False
    if any(_of_doors(state, since, rules)):
        return False
    rooms = {room for room, moved_at in _moved(state, at, rules) if moved_at > since}
    return len(rooms) <= 1 and band.stirs.bit_count() <= MOST_STIRS


def _moved(state: HomeState, at: float, rules: Rules) -> Iterator[tuple[str, float]]:
    """Yield when each believed motion sensor last saw movement, with its room."""
    noise = state.house.lone.device if state.house.lone.noise else None
    for device, sensed in state.house.sensed.items():
        sensor = rules.sensors.get(device)
        if sensor is None or sensor.sense is not MOTION or device == noise:
            continue
        if not sensed.known:  # since a restart; its times may be another boot's
            continue
        if supervision.believed(state, device):
            yield sensor.place or device, at if sensed.active else sensed.active_at


def _of_doors(state: HomeState, since: float, rules: Rules) -> Iterator[bool]:
    for device, sensed in state.house.sensed.items():
        sensor = rules.sensors.get(device)
        if sensor is not None and sensor.sense in DOORS:
            yield sensed.known and sensed.since > since and supervision.believed(state, device)


def _sees_motion(state: HomeState, rules: Rules) -> bool:
    return any(
        rules.sensors[device].sense is MOTION for device in supervision.working(state, rules)
    )
