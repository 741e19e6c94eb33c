"""The hourly message: how often each device saw activity, for the centre's picture of the day."""

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Activity, PresenceKind
from hub.core.activity import presence
from hub.core.model.effects import Lane, Publish
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

HOUR_S = 3600.0


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Send the message when the hour is over; without a clock or a sensor there is none."""
    house = state.house
    if house.hour_at is None:
        if not state.clock.synced or not house.sensed:
            return state, []
        return replace(state, house=replace(house, hour_at=_hour_of(state, at))), []
    if at < house.hour_at + HOUR_S:
        return state, []
    page = _hour_message(state, house.hour_at, at, rules)
    sensed = {device: replace(one, count=0) for device, one in house.sensed.items()}
    house = replace(house, hour_at=_hour_of(state, at), sensed=sensed)
    return replace(state, house=house), [page]


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the hour is over."""
    del rules
    begun = state.house.hour_at
    return None if begun is None else begun + HOUR_S


def _hour_of(state: HomeState, at: float) -> float:
    return at - state.clock.utc(at) % HOUR_S


def _hour_message(state: HomeState, begun: float, at: float, rules: Rules) -> Publish:
    house = state.house
    lasted_s = round(min(at - max(house.presence.since, begun), HOUR_S), 1)
    kind = presence.as_told(house, at)
    page = Activity(
        from_utc=state.clock.utc(begun),
        synced=state.clock.synced,
        seen={device: one.count for device, one in house.sensed.items() if one.count},
        places={d: s.place for d, s in rules.sensors.items() if d in house.sensed and s.place},
        presence=kind,
        asleep_s=lasted_s if kind is PresenceKind.ASLEEP else 0.0,
        away_s=lasted_s if kind is PresenceKind.AWAY else 0.0,
    )
    topic = wire.topic(rules.hub, "activity")
    key = f"{state.boot}-hour-{int(page.from_utc)}"
    return Publish(key, Lane.TELEMETRY, topic, wire.encode(page))
