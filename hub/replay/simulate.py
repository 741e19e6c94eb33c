"""A trace run through `decide`, at full speed: what this hub would have done in that home.

A row's UTC seconds are used as the monotonic clock. Between rows each deadline that `next_wake`
returns is served at exactly its time. The centre is simulated: it receives at once what the hub
owes, accepts an alarm after a minute, and closes it at the next activity, or after 30 min.
"""

import math
from collections.abc import Callable
from copy import copy
from datetime import datetime, timedelta, timezone
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, Stage
from hub.contract.scaip import AUTOMATIC
from hub.contract.voice import Meaning
from hub.core import calm
from hub.core.decide import decide, next_wake
from hub.core.model.effects import Effect
from hub.core.model.events import (
    Answered,
    CenterAcked,
    ContactChanged,
    Event,
    Heartbeat,
    HeartRateMeasured,
    LinkUp,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import CareRules, Rules, Sense
from hub.core.model.state import Alarm, Clock, HomeState, Link
from hub.replay.summary import DAY_S, Stop, Story, Summary, iso
from hub.replay.trace import Row, Sort, Trace, opened, with_device

PRESS_S = 0.3  # a finger on a button
ACCEPT_S, CLOSE_S = 60.0, 1800.0  # TSA: 97.5 % of calls are answered in 60 s
STALL_S = 1.0  # how much later a deadline is tried again that does not change when it is served
HOUR_S = 3600.0
PATIENCE_S = 72 * 3600.0  # how long after `stop_at` to wait for an alarm
NEVER_S = 1e12  # the state message is not sent: no decision depends on it
RULES = Rules(  # no check-ins: nobody in a trace can answer
    hub="replay",
    care=CareRules(times=()),
    state_interval_s=NEVER_S,
    alarm_state_interval_s=NEVER_S,
)

MOTION: Final = Sort.MOTION  # looking up an enum's member is slow in Python 3.11

Note = Callable[[float, HomeState, HomeState, list[Effect]], None]  # at, before, after, effects


class Options(Struct, frozen=True):
    """How to replay. `stop_at` without an offset is in the local time of the trace."""

    now_utc: float
    learn_days: float = 0.0
    stop_at: datetime | None = None
    lenient: bool = False
    zone_s: float | None = None  # where the home is, if the trace has its times in UTC
    rules: Rules = RULES


class OutsideError(Exception):
    """`stop_at` is not within the trace, which goes from `begin` to `end` (local times)."""

    def __init__(self, begin: str, end: str) -> None:
        super().__init__(begin, end)
        self.begin, self.end = begin, end


class Replay:
    """A home in a trace. `branch` is cheap: states and rules are never changed in place."""

    def __init__(self, first: Row, rules: Rules = RULES, note: Note | None = None) -> None:
        self.rules, self.note = rules, note
        self.now = first.utc
        self.stalls = 0  # deadlines that did not change when served: an error of the core
        self._state = HomeState(
            boot="replay",
            clock=Clock(0.0, synced=True, zone_s=first.zone_s),
            link=Link(up=False, since=first.utc),
            told_at=first.utc,
        )
        self._coming: tuple[Event, ...] = ()  # in the order of time
        self._calm = False  # whether no alarm, warning or check-in is going on
        self._wake = -math.inf  # when time alone changes something; inf: never
        self._moved = False  # a motion may have made the next deadline later
        self._apply(Started(first.utc, first.utc, synced=True, boot="replay", zone_s=first.zone_s))
        self._apply(LinkUp(first.utc, "replay"))

    @property
    def state(self) -> HomeState:
        """The present state of the home; the replay continues from a state that is set."""
        return self._state

    @state.setter
    def state(self, state: HomeState) -> None:
        self._state = state
        self._look()

    def feed(self, row: Row) -> None:
        """Serve what is due until the row's time, then decide on the row."""
        if row.utc >= self._wake or self._coming:
            self.reach(row.utc)
        if row.zone_s != self._state.clock.zone_s:  # summer time
            self._apply(Heartbeat(row.utc, row.utc, synced=True, zone_s=row.zone_s))
        if row.device not in self.rules.sensors:
            self.rules = with_device(self.rules, row.device, row.sort)
            self._look()
        self._apply(self._fact(row))

    def _fact(self, row: Row) -> Event:
        if row.sort is MOTION:  # nearly all rows
            return MotionChanged(row.utc, row.device, row.value > 0)
        match row.sort:
            case Sort.CONTACT | Sort.EXIT_DOOR:
                return ContactChanged(row.utc, row.device, row.value == 0)
            case Sort.PRESS:
                if row.value:
                    self._expect(ContactChanged(row.utc + PRESS_S, row.device, closed=False))
                return ContactChanged(row.utc, row.device, row.value > 0)
            case Sort.HEART_RATE:
                return HeartRateMeasured(row.utc, row.device, row.value)
            case Sort.ANSWER:
                meaning = Meaning.FINE if row.value == 1 else Meaning.UNCLEAR
                return Answered(row.utc, meaning, AnsweredBy.VOICE)

    def reach(self, at: float) -> None:
        """Serve every deadline up to `at`, each at its time."""
        while (due := self.next_due()) is not None and due <= at:
            self.step(due)

    def next_due(self) -> float | None:
        """Return when something happens next without a sensor; None: never."""
        if self._moved:
            self._look()
        if self._coming and self._coming[0].at < self._wake:
            return self._coming[0].at
        return None if self._wake == math.inf else self._wake

    def step(self, due: float) -> None:
        """Serve what is due at `due`."""
        if self._coming and self._coming[0].at <= due:
            event, *rest = self._coming
            self._coming = tuple(rest)
            self._apply(event)
            return
        at = max(due, self.now)
        self._apply(Ticked(at))
        if self._wake <= at:
            self._apply(Ticked(at + STALL_S))
            self.stalls += 1

    def silence(self, at: float) -> None:
        """Serve what is due until `at` and end every motion: nobody moves from then on."""
        self.reach(at)
        for device, sensed in self.state.house.sensed.items():
            sensor = self.rules.sensors.get(device)
            if sensed.active and sensor and sensor.sense is Sense.MOTION:
                self._apply(MotionChanged(at, device, active=False))
        self.now = at

    def branch(self, note: Note | None = None) -> Self:
        """Return a copy that goes on from the present state by itself."""
        other = copy(self)
        other.note = note
        return other

    def _apply(self, event: Event) -> None:
        before, at = self._state, event.at
        if self._calm and self.now <= at < self._wake:
            self.now = at
            after, effects = calm.decide(before, event, self.rules)
            if not effects and calm.still_holds(before, event, after):
                self._state, self._moved = after, True
                return
        else:
            after, effects = self._decide(before, event)
        self._state = after
        if after.owed or after.alarms:
            effects = effects + self._answer(at)
        self._look()
        if self.note and (
            effects
            or after.warning is not before.warning
            or after.house.presence is not before.house.presence
        ):
            self.note(at, before, after, effects)

    def _decide(self, before: HomeState, event: Event) -> tuple[HomeState, list[Effect]]:
        """Decide when something is due or going on."""
        due = self._calm and event.at == self._wake and isinstance(event, Ticked)
        self.now = max(self.now, event.at)
        if due:
            return calm.serve(before, event.at, self.rules)
        return decide(before, event, self.rules)

    def _look(self) -> None:
        """Find out when something is due next, once for each state that changes it."""
        self._moved = False
        self._wake = calm.until(self._state, self.now, self.rules)
        self._calm = self._wake > -math.inf
        if not self._calm:
            wake = next_wake(self._state, self.rules)
            self._wake = math.inf if wake is None else wake

    def _answer(self, at: float) -> list[Effect]:
        """Act as the centre: receive what is owed, accept each alarm, close it at activity."""
        version, effects = self._state.order, list[Effect]()
        for owed in self._state.owed:
            raised = owed.id == owed.alarm
            stage = Stage.RECEIVED if raised else Stage.RAISED  # RAISED leaves the stage as it is
            ack = CenterAcked(at, owed.id, owed.alarm, stage, version)
            self._state, more = decide(self._state, ack, self.rules)
            effects += more
            if raised:
                self._expect(replace(ack, at=at + ACCEPT_S, id="", stage=Stage.ACCEPTED))
                self._expect(replace(ack, at=at + CLOSE_S, id="", stage=Stage.CLOSED))
        for alarm in self._state.alarms:
            if alarm.raised_at + ACCEPT_S < min(at, self._state.house.active_at):
                effects += self._close(alarm, at)
        return effects

    def _close(self, alarm: Alarm, at: float) -> list[Effect]:
        closed = CenterAcked(at, "", alarm.id, Stage.CLOSED, alarm.version)
        self._state, effects = decide(self._state, closed, self.rules)
        return effects

    def _expect(self, event: Event) -> None:
        self._coming = tuple(sorted((*self._coming, event), key=attrgetter("at")))


def run(path: Path, options: Options, seen: Callable[[Row], object] | None = None) -> Summary:
    """Replay the trace; `seen` is called with each row that is decided on.

    Raises `TraceError`, `OutsideError` or `OSError`.
    """
    with opened(path) as file:
        trace = Trace(file, now_utc=options.now_utc, lenient=options.lenient, zone_s=options.zone_s)
        summary = _run(trace, options, seen)
    zone_s = trace.utc_zone_s
    return replace(summary, utc_zone_h=None if zone_s is None else zone_s / HOUR_S)


def _run(trace: Trace, options: Options, seen: Callable[[Row], object] | None) -> Summary:
    rows = iter(trace)
    row = first = next(rows)
    story = Story(first.utc, options.learn_days)
    replay = Replay(first, options.rules, story.note)
    stop_utc = _utc(options.stop_at, first)
    fed_utc = first.utc
    for row in chain((first,), rows):
        if stop_utc is None or row.utc < stop_utc:
            replay.feed(row)
            fed_utc = row.utc
            if seen:
                seen(row)
    stop = None
    if stop_utc is not None:
        if not first.utc <= stop_utc <= row.utc:
            raise OutsideError(iso(first.utc, first.zone_s), iso(row.utc, row.zone_s))
        fed_utc = stop_utc
        stop = _fall(replay, story, stop_utc)
    summary = Summary(
        rows=trace.rows,
        skipped=dict(trace.skipped),
        begin=iso(first.utc, first.zone_s),
        end=iso(row.utc, row.zone_s),
        days=round((row.utc - first.utc) / DAY_S, 3),
        learn_days=options.learn_days,
        changes=story.changes,
        alarms=0,
        alarm_kinds={},
        false_alarms_per_day=None,
        stalls=replay.stalls,
        stop=stop,
    )
    days = (fed_utc - first.utc) / DAY_S - options.learn_days
    return _counted(summary, story, fed_utc, days)


def _counted(summary: Summary, story: Story, until_utc: float, days: float) -> Summary:
    """Count the alarms until the sensors fell silent: later ones were no false alarms."""
    kinds = story.counted(until_utc)
    false = sum(n for kind, n in kinds.items() if kind in AUTOMATIC)
    return replace(
        summary,
        alarms=kinds.total(),
        alarm_kinds=dict(kinds),
        false_alarms_per_day=round(false / days, 4) if days > 0 else None,
    )


def _utc(moment: datetime | None, first: Row) -> float | None:
    if moment and moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(seconds=first.zone_s)))
    return moment.timestamp() if moment else None


def _fall(replay: Replay, story: Story, stop_utc: float) -> Stop:
    """Silence every sensor, and go on until the alarm."""
    replay.silence(stop_utc)
    state = replay.state
    standing = [f"alarm {a.kind}" for a in state.alarms]
    standing += [f"warning {state.warning.kind}"] if state.warning else []
    zone_s = state.clock.zone_s
    alarm = fall(replay, story, stop_utc, PATIENCE_S)
    warned = next((at for at in story.warnings if at >= stop_utc), None)
    return Stop(
        stopped_at=iso(stop_utc, zone_s),
        first_warning=None if warned is None else iso(warned, zone_s),
        first_alarm=None if alarm is None else iso(alarm[0], zone_s),
        alarm_kind=None if alarm is None else alarm[1],
        delay_s=None if alarm is None else round(alarm[0] - stop_utc, 1),
        standing=tuple(standing),
    )


def fall(replay: Replay, story: Story, at: float, patience_s: float) -> tuple[float, str] | None:
    """Go on without sensors from `at` until an automatic alarm; return its time and kind, or None.

    Alarms raised before `at` do not count.
    """
    checked = len(story.alarms)
    while (due := replay.next_due()) is not None and due <= at + patience_s:
        replay.step(due)
        for when, kind in story.alarms[checked:]:
            if kind in AUTOMATIC and when >= at:
                return when, kind
        checked = len(story.alarms)
    return None
