"""A home with check-ins, and the ways in which its hub may be disturbed.

It starts at 08:00 in Korea, at 0.0; so the first check-in is due at 3600.0. A transcript here names
what the centre is told, and leaves out lamps and the words of alarms, which are other stories.
"""

from collections.abc import Callable, Iterable
from typing import Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import (
    AlarmEvent,
    AnsweredBy,
    CareEvent,
    CheckInEvent,
    PresenceKind,
    Stage,
)
from hub.contract.voice import Meaning, Phrase
from hub.core import late
from hub.core.alarm import signals, warning
from hub.core.decide import decide, recover
from hub.core.model.activity import Presence
from hub.core.model.effects import Ask, Effect, Pet, Publish, Say, Show
from hub.core.model.events import (
    Answered,
    ContactChanged,
    Event,
    Heartbeat,
    HeartRateMeasured,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import CareRules, QuietRules, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core import scenes
from tests.hub.core.scenes import GREEN, HELP
from tests.playbook import Playbook

HALL, WATCH = "hall", "watch"
WARNINGS = frozenset(warning.PHRASE.values())
EIGHT = scenes.UTC - 3600.0  # 08:00 in Korea
NINE, SIX = 3600.0, 36_000.0  # the two check-ins of the first day
MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86_400.0, 365 * 86_400.0
RULES = replace(
    scenes.CALM,
    care=CareRules(),
    quiet=QuietRules(safe_day_s=1e9, safe_night_s=1e9, new_days=10_000),  # another story
    sensors={HALL: Sensor(Sense.MOTION, "거실"), WATCH: Sensor(Sense.WEARABLE)},
)


class Told(Struct, frozen=True):
    """What the centre is told, in short."""

    what: str
    detail: str


class Wait(Struct, frozen=True):
    """Time passes until `at`; nothing else happens."""

    at: float


def told(publish: Publish) -> Told:
    """Read what goes to the centre."""
    _, event = wire.decode_from_hub(publish.topic, publish.payload)
    match event:
        case CheckInEvent(type=kind, data=data):
            return Told(kind, f"{data.topic} {data.by} {data.attempts}")
        case CareEvent(type=kind, data=data):
            return Told(kind, str(data.score))
        case AlarmEvent(type=kind, data=data):
            return Told(kind, str(data.kind))
        case _:
            raise AssertionError(event)


def heard(effects: list[Effect]) -> list[Effect | Told]:
    """Return what the resident hears of check-ins, and what the centre is told."""
    words = set(signals.PHRASE.values()) - {None}
    found: list[Effect | Told] = []
    for effect in effects:
        match effect:
            case Publish(topic=topic) if topic.endswith("/event"):
                found.append(told(effect))
            case Ask():
                found.append(effect)
            case Say(phrase=phrase) if phrase not in words:
                found.append(effect)
            case _:
                assert isinstance(effect, Say | Show | Pet | Publish), effect
    return found


Way = Callable[["Care", float], None]


class Care(Playbook):
    """A playbook through which a `Way` may disturb the hub before each event."""

    def __init__(self, state: HomeState, way: Way, rules: Rules = RULES) -> None:
        super().__init__(state, rules)
        self.way, self.off_s, self.boots = way, 0.0, 1
        self.year, self.last = 0.0, 3.2

    def __rshift__(self, event: Event | Wait | tuple[Event, ...]) -> Self:
        self._settle([])
        events = event if isinstance(event, tuple) else (event,)
        at = events[0].at
        self.way(self, max((self.last + at) / 2, at - 70))  # the voice is up after a minute
        self.last = at
        self.effects = []
        for each in events:
            at = each.at - self.off_s
            self.do(Ticked(at) if isinstance(each, Wait) else replace(each, at=at))
        self.expected.append(f">> {event}")
        self.actual.append(f">> {event}")
        self.effects = heard(self.effects)  # type: ignore[assignment]
        self._told = False
        return self

    def __lshift__(self, effects: Iterable[object]) -> Self:
        self._settle(list(effects))  # type: ignore[arg-type]
        return self

    def whatever(self) -> Self:
        """Accept the effects as they are: another story looks at them."""
        self._settle([*self.effects])
        return self

    def do(self, event: Event) -> list[Effect]:
        """Apply it, and check that the snapshot decodes to the same state."""
        before = self.state.warning
        self.state, effects = decide(self.state, event, self.rules)
        after = self.state.warning
        if before and after and before.kind is after.kind:  # said again: another story
            effects = [
                e for e in effects if not (isinstance(e, Say | Ask) and e.phrase in WARNINGS)
            ]
        self.effects += effects
        packed = msgspec.msgpack.encode(self.state)
        assert msgspec.msgpack.decode(packed, type=HomeState) == self.state
        return effects

    def start(self, at: float, mono: float, *, synced: bool = True) -> None:
        """Start again at `at` of the story, which is `mono` of the new boot."""
        self.boots += 1
        self.off_s = at - mono
        event = Started(mono, EIGHT + self.year + at, synced, f"b{self.boots}")
        unsent = [owed.id for owed in self.state.owed]
        self.state = recover(self.state, event, unsent)
        assert not heard(self.do(event)), "a restart says nothing"

    def start_blind(self, at: float, mono: float, after_s: float = 0.5) -> None:
        """Start again with a disk that answers only `after_s` later."""
        old, self.state = self.state, HomeState()
        self.boots += 1
        self.off_s = at - mono
        event = Started(mono, EIGHT + self.year + at, synced=True, boot=f"b{self.boots}")
        self.state = recover(self.state, event, (), lived_in=True)
        assert not heard([*self.do(event), *self.do(Ticked(mono + after_s))])
        known = recover(old, event, [owed.id for owed in old.owed])
        self.state, effects = late.joined(known, self.state, self.rules)
        assert not heard([*effects, *self.do(Ticked(mono + after_s))])

    def beat(self, at: float, *, synced: bool = True) -> None:
        """Set the wall clock, which may be wrong by `year`."""
        mono = at - self.off_s
        assert not heard(self.do(Heartbeat(mono, EIGHT + self.year + at, synced)))


def steady(_: Care, __: float) -> None:
    """Leave it alone."""


def restarting(care: Care, at: float) -> None:
    """End the process before each event, and start another; it has watched until then."""
    care.beat(at - 0.25)
    care.start(at, at - care.off_s)


def rebooting(care: Care, at: float) -> None:
    """Cut the power before each event; the clock is right at once."""
    care.beat(at - 0.25)
    care.start(at, 7.0)


def reading_late(care: Care, at: float) -> None:
    """Cut the power before each event; the disk answers only when the hub has begun."""
    care.beat(at - 0.25)
    care.start_blind(at, 7.0)


def rebooting_without_a_clock(care: Care, at: float) -> None:
    """Cut the power before each event; the clock is right a moment later."""
    care.beat(at - 0.25)
    care.start(at, 7.0, synced=False)
    care.beat(at + 0.25)


def jumping(care: Care, at: float) -> None:
    """Set the clock a year ahead, then back, then ahead."""
    care.year = YEAR if not care.year else 0.0
    care.beat(at)
    care.beat(at + 0.25)


def jumping_back(care: Care, at: float) -> None:
    """Set the clock back by a year, then right again."""
    care.year = -YEAR if not care.year else 0.0
    care.beat(at)
    care.beat(at + 0.25)


def jumping_at_reboots(care: Care, at: float) -> None:
    """Start with a clock that is a year wrong, each time in another direction."""
    mono = at - 0.25 - care.off_s  # the last heartbeat of the old boot
    care.do(Heartbeat(mono, EIGHT + care.year + at - 0.25, synced=True))
    care.year = {0.0: YEAR, YEAR: -YEAR, -YEAR: 0.0}[care.year]
    care.start(at, 7.0)


WAYS: list[Way] = [
    steady, restarting, rebooting, rebooting_without_a_clock, jumping, jumping_back, reading_late,
]  # fmt: skip


def care(way: Way = steady, rules: Rules = RULES, *, presence: PresenceKind | None = None,
         until: float | None = None, utc: float = EIGHT) -> Care:  # fmt: skip
    """Return a home at 08:00, in which somebody moved a second after the start."""
    event = Started(0.0, utc, synced=True, boot="b1")
    state, _ = decide(recover(HomeState(), event, []), event, rules)
    state, _ = decide(state, MotionChanged(1.0, HALL, active=True), rules)
    state, _ = decide(state, MotionChanged(3.0, HALL, active=False), rules)
    if presence is not None:
        where = Presence(presence, 3.0, until)
        state = replace(state, house=replace(state.house, presence=where))
    return Care(state, way, rules)


def said(at: float, meaning: Meaning, score: int = 0) -> Answered:
    """Somebody speaks."""
    return Answered(at, meaning, AnsweredBy.VOICE, score)


def moves(at: float) -> tuple[Event, ...]:
    """Somebody walks past."""
    return MotionChanged(at, HALL, active=True), MotionChanged(at + 0.2, HALL, active=False)


def beats(at: float) -> Event:
    """The watch feels a pulse."""
    return HeartRateMeasured(at, WATCH, 71.0)


def green(at: float) -> tuple[Event, ...]:
    """A finger presses the green button."""
    return _press(at, GREEN)


def red(at: float) -> tuple[Event, ...]:
    """A finger presses the red button."""
    return _press(at, HELP)


def _press(at: float, device: str) -> tuple[Event, ...]:
    down, up = (ContactChanged(at + s, device, closed=not s) for s in (0.0, 0.5))
    return down, Ticked(at + 0.1), up, Ticked(at + 0.6)


def closes(at: float, alarm: str) -> Event:
    """The centre closes an alarm."""
    return scenes.acked(at, Stage.CLOSED, 9, alarm=alarm, who="Kim")


MOOD, MOOD_SLOW = Ask(Phrase.ASK_MOOD), Ask(Phrase.ASK_MOOD, slow=True)
REMIND = Ask(Phrase.REMIND, slow=True)
FINE, UNWELL = Say(Phrase.THANKS_FINE), Say(Phrase.THANKS_UNWELL)
ALIVE, SORRY = Say(Phrase.THANKS_ALIVE), Say(Phrase.NOT_UNDERSTOOD)
COUNSEL = Say(Phrase.COUNSEL_COMING)


def result(what: str, by: str = "voice", attempts: int = 1, topic: str = "mood") -> Told:
    """What the centre is told of a check-in."""
    return Told(f"anbu.checkin.{what}", f"{topic} {by} {attempts}")


def need(what: str, score: int = 0) -> Told:
    """What the centre is told of a need."""
    return Told(f"anbu.care.{what}", str(score))


def alarm(what: str, kind: str = "missed_checkin") -> Told:
    """What the centre is told of an alarm."""
    return Told(f"anbu.alarm.{what}", kind)
