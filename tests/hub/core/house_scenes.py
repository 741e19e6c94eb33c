"""A house with sensors, and a resident who lives in it by the hours of the wall clock.

It starts at 00:00 of a Monday in Korea; moments are hours since then. Deadlines are served when
they are due, as the engine does.
"""

from collections.abc import Iterable
from typing import Self

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmData, AlarmEvent, PresenceKind, Stage
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.decide import decide, next_wake, recover
from hub.core.model.effects import Ask, Effect, Publish, Say
from hub.core.model.events import CenterAcked, ContactChanged, Event, MotionChanged, Started, Ticked
from hub.core.model.rules import Room, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core.scenes import CALM

KITCHEN, LIVING, BATH, FRONT = "kitchen", "living", "bath", "front"
RULES = replace(
    CALM,
    sensors={
        KITCHEN: Sensor(Sense.MOTION, "부엌"),
        LIVING: Sensor(Sense.MOTION, "거실"),
        BATH: Sensor(Sense.MOTION, "욕실", Room.BATHROOM),
        FRONT: Sensor(Sense.EXIT_DOOR, "현관"),
    },
)
FRIDGE = "fridge"
WITH_FRIDGE = replace(
    RULES, sensors={**RULES.sensors, FRIDGE: Sensor(Sense.DOOR, "부엌", Room.OTHER)}
)
HOUR, DAY = 3600.0, 86_400.0
MONDAY = 1_772_377_200.0  # 2026-03-02 00:00 in Korea
WARNINGS = {phrase: phrase for phrase in Phrase if phrase.startswith("warn_")}


class Lived:
    """The state of a home, and the time in it."""

    def __init__(self, rules: Rules = RULES, *, synced: bool = True) -> None:
        self.rules, self.state, self.at = rules, HomeState(), 0.0
        self.effects: list[Effect] = []
        self.start(0.0, synced=synced)

    def start(self, hour: float, *, synced: bool = True) -> Self:
        """Start the process, again or for the first time, with the clock at `hour`."""
        event = Started(0.0, MONDAY + hour * HOUR, synced, "b1")
        self.state = recover(self.state, event, ())
        self.at, self._began = 0.0, hour * HOUR
        return self._decide(event)

    def until(self, hour: float) -> Self:
        """Move the clock on; nothing else happens."""
        end = hour * HOUR - self._began
        while (wake := next_wake(self.state, self.rules)) is not None and wake <= end:
            self._decide(Ticked(max(wake, self.at)))
        self.at = end
        return self

    def move(self, device: str, hour: float) -> Self:
        """Be seen by a motion sensor for two seconds."""
        self.until(hour)
        self._decide(MotionChanged(self.at, device, active=True))
        return self._decide(MotionChanged(self.at + 2.0, device, active=False))

    def door(self, hour: float, *, shut_s: float = 5.0, device: str = FRONT) -> Self:
        """Open a door, and shut it so much later."""
        self.until(hour)
        self._decide(ContactChanged(self.at, device, closed=False))
        self.until(hour + shut_s / HOUR)
        return self._decide(ContactChanged(self.at, device, closed=True))

    def fridge(self, hour: float) -> Self:
        """Open the fridge, and shut it a moment later; the first time tells only its level."""
        self.until(hour)
        if FRIDGE not in self.state.house.sensed:
            return self._decide(ContactChanged(self.at, FRIDGE, closed=True))
        self._decide(ContactChanged(self.at, FRIDGE, closed=False))
        return self._decide(ContactChanged(self.at + 2.0, FRIDGE, closed=True))

    def live(self, day: int, hours: Iterable[float], device: str = KITCHEN) -> Self:
        """Be seen at these hours of a day."""
        for hour in hours:
            self.move(device, day * 24 + hour)
        return self

    def take(self, event: Event) -> Self:
        """Take any fact."""
        return self._decide(event)

    @property
    def kind(self) -> PresenceKind:
        """Where the resident is assumed to be."""
        return self.state.house.presence.kind

    @property
    def warnings(self) -> list[Phrase]:
        """The warnings so far, each once however often it was said."""
        said = [e.phrase for e in self.effects if isinstance(e, Say | Ask)]
        return [p for n, p in enumerate(said) if p in WARNINGS and said[n - 1 : n] != [p]]

    @property
    def alarms(self) -> list[AlarmData]:
        """The alarms so far."""
        told = [e for e in self.effects if isinstance(e, Publish) and e.topic.endswith("/event")]
        found = [wire.decode_from_hub(e.topic, e.payload)[1] for e in told]
        return [event.data for event in found if isinstance(event, AlarmEvent)]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of the alarms so far."""
        return [data.kind for data in self.alarms]

    def _decide(self, event: Event) -> Self:
        self.state, effects = decide(self.state, event, self.rules)
        self.at = max(self.at, event.at)
        self.effects += effects
        for alarm in self.state.alarms:  # the centre stores it, and ends it at once
            for id_ in [o.id for o in self.state.owed]:
                self._decide(CenterAcked(self.at, id_, "", Stage.RECEIVED, 0))
            self._decide(CenterAcked(self.at, "", alarm.id, Stage.CLOSED, 9))
        return self


def day_long(every_min: int = 20, since: float = 7.0, till: float = 22.0) -> list[float]:
    """Return the hours of an ordinary day: something moves now and then."""
    steps = int((till - since) * 60 / every_min) + 1
    return [since + n * every_min / 60 for n in range(steps)]


def settled(days: int = 14, rules: Rules = RULES) -> Lived:
    """A home after so many equal days, lived in the kitchen and the living room."""
    lived = Lived(rules)
    lived.door(0.1)
    for day in range(days):
        for n, hour in enumerate(day_long()):
            lived.move((KITCHEN, LIVING)[n % 2], day * 24 + hour)
    lived.effects.clear()
    return lived
