"""A home whose resident wears a band and uses a cuff and an oximeter; time passes as it does.

It begins at 08:00 of a Monday in Korea, at 0.0. The kitchen and the living room have a motion
sensor each. Readings come every five seconds.
"""

from collections.abc import Iterator
from random import Random
from typing import Self

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import (
    AlarmData,
    AlarmEvent,
    CareData,
    CareEvent,
    Command,
    CommandKind,
    Reply,
    Vital,
    VitalKind,
    VitalLimits,
    Vitals,
)
from hub.contract.voice import Meaning, Phrase
from hub.core.decide import decide, next_wake, recover
from hub.core.model.effects import Ask, Effect, Publish, Say, Show
from hub.core.model.events import (
    Answered,
    CommandReceived,
    ContactChanged,
    Event,
    HeartRateMeasured,
    LinkUp,
    MotionChanged,
    Started,
    Ticked,
    VitalsMeasured,
)
from hub.core.model.rules import Rules, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core import scenes
from tests.hub.core.scenes import GREEN, HELP

BAND, STRAP, FINGER, CUFF = "band", "strap", "finger", "cuff"
KITCHEN, LIVING, FRONT = "kitchen", "living", "front"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
RULES = replace(
    scenes.CALM,
    sensors={
        KITCHEN: Sensor(Sense.MOTION, "부엌"),
        LIVING: Sensor(Sense.MOTION, "거실"),
        FRONT: Sensor(Sense.EXIT_DOOR, "현관"),
        BAND: Sensor(Sense.WEARABLE),
        STRAP: Sensor(Sense.WEARABLE),
        FINGER: Sensor(Sense.WEARABLE),
        CUFF: Sensor(Sense.WEARABLE),
    },
)
EIGHT = scenes.UTC - 3600.0


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a test's dice


def beats(bpm: float, s: float, seed: int = 0) -> tuple[float, ...]:
    """The beats of so many seconds: a sinus rhythm that breathes."""
    chance, left, found = dice(seed), s * 1000.0, list[float]()
    while left > 0.0:
        found.append(round(60_000.0 / bpm + chance.gauss(0.0, 14.0)))
        left -= found[-1]
    return tuple(found)


class Worn:
    """The state of the home, the time in it, and what has come of it."""

    def __init__(self, rules: Rules = RULES, state: HomeState | None = None) -> None:
        self.rules, self.state, self.at, self.boots = rules, state or HomeState(), 0.0, 0
        self.off_s, self.counter = 0.0, 0
        self.effects: list[Effect] = []
        self.start(0.0)
        self.take(LinkUp(0.5, "broker"))
        for device in (KITCHEN, LIVING):
            self.move(device)
        self.wait(10 * MINUTE)

    def start(self, mono: float, *, synced: bool = True) -> Self:
        """Start the process at this monotonic time, for the first time or again."""
        self.off_s += self.at - mono
        self.boots += 1
        event = Started(mono, EIGHT + self.off_s + mono, synced, f"b{self.boots}")
        self.state = recover(self.state, event, [owed.id for owed in self.state.owed])
        self.at = mono
        return self.take(event)

    def take(self, event: Event) -> Self:
        """Take any fact, at its time; what is due before is served first."""
        self._serve(event.at)
        self.state, effects = decide(self.state, event, self.rules)
        self.effects += effects
        self.at = max(self.at, event.at)
        return self

    def wait(self, s: float) -> Self:
        """Nothing happens for so long."""
        end = self.at + s
        self._serve(end)
        self.at = end
        return self

    def beat(
        self, bpm: float, s: float, device: str = BAND, *, every_s: float = 5.0,
        worn: bool | None = True, rr: bool = False,
    ) -> Self:  # fmt: skip
        """Wear a band with this pulse, give or take a beat, for so long."""
        end, n = self.at + s, 0
        while self.at + every_s <= end:
            n += 1
            told = beats(bpm, every_s, n) if rr and bpm > 0.0 else ()
            shown = bpm + (n % 3 - 1 if bpm > 10 else 0)
            at = self.at + every_s
            self.take(HeartRateMeasured(at, device, shown, told, worn))
        return self.wait(end - self.at)

    def move(self, device: str, s: float = 2.0) -> Self:
        """Be seen by a motion sensor."""
        self.take(MotionChanged(self.at + 0.1, device, active=True))
        return self.take(MotionChanged(self.at + s, device, active=False))

    def door(self) -> Self:
        """Open and shut the front door."""
        self.take(ContactChanged(self.at + 0.1, FRONT, closed=False))
        return self.take(ContactChanged(self.at + 3.0, FRONT, closed=True))

    def measure(
        self, device: str, values: dict[str, float], *, fresh: bool = True,
        taken_utc: float | None = None, irregular: bool = False,
    ) -> Self:  # fmt: skip
        """Measure with a cuff or an oximeter."""
        event = VitalsMeasured(self.at + 1.0, device, values, fresh, taken_utc, irregular)
        return self.take(event)

    def finger(self, pct: float, s: float = 30.0) -> Self:
        """Keep a finger in the oximeter; it tells a value every second."""
        for _ in range(int(s)):
            self.measure(FINGER, {"spo2_pct": pct})
        return self

    def say(self, meaning: Meaning) -> Self:
        """Say something."""
        return self.take(Answered(self.at + 1.0, meaning))

    def press(self, device: str = GREEN) -> Self:
        """Press a button."""
        for event in scenes.press(self.at + 1.0, device):
            self.take(event)
        return self

    def limit(self, limits: VitalLimits | None) -> Self:
        """Let the centre set limits."""
        self.counter += 1
        utc = EIGHT + self.off_s + self.at
        command = Command(
            f"c-{self.counter}", CommandKind.VITAL_LIMITS, self.counter, utc + 60, limits=limits
        )
        return self.take(CommandReceived(self.at + 0.1, utc, command))

    @property
    def said(self) -> list[Phrase]:
        """What was said and asked, each once however often it was repeated."""
        words = [e.phrase for e in self.effects if isinstance(e, Say | Ask)]
        return [word for n, word in enumerate(words) if words[n - 1 : n] != [word]]

    @property
    def alarms(self) -> list[AlarmData]:
        """The alarms so far, and their repetitions."""
        return [event.data for event in self._told() if isinstance(event, AlarmEvent)]

    @property
    def tasks(self) -> list[CareData]:
        """The tasks so far."""
        return [event.data for event in self._told() if isinstance(event, CareEvent)]

    @property
    def vitals(self) -> list[Vitals]:
        """What the centre was told of the body."""
        return [event for event in self._told() if isinstance(event, Vitals)]

    @property
    def replies(self) -> list[Reply]:
        """The replies to commands."""
        return [event for event in self._told() if isinstance(event, Reply)]

    @property
    def shown(self) -> list[str]:
        """The signals of the lamp."""
        return [e.signal.value for e in self.effects if isinstance(e, Show)]

    def entries(self, kind: VitalKind) -> list[Vital]:
        """All entries of a kind that the centre was told."""
        return [one for told in self.vitals for one in told.entries if one.kind is kind]

    def calm(self) -> bool:
        """Whether nothing was asked, raised or told as a task."""
        return not (self.said or self.alarms or self.tasks or self.state.warning)

    def _told(self) -> Iterator[object]:
        for effect in self.effects:
            if isinstance(effect, Publish):
                yield wire.decode_from_hub(effect.topic, effect.payload)[1]

    def _serve(self, end: float) -> None:
        while (wake := next_wake(self.state, self.rules)) is not None and wake <= end:
            at = max(wake, self.at)
            self.state, effects = decide(self.state, Ticked(at), self.rules)
            self.effects += effects
            self.at = at


__all__ = ["GREEN", "HELP"]
