"""The result of a replayed trace: each warning, alarm and change, and their counts."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import msgspec
from msgspec import Struct, to_builtins

from hub.contract import wire
from hub.contract.messages import AlarmEvent, CareEvent, CheckInEvent, Evidence, PresenceKind
from hub.contract.scaip import AUTOMATIC, Kind, What
from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.state import HomeState
from hub.replay.trace import Reason

DAY_S = 86_400.0
Told = tuple[str, str, str, Evidence | None]  # what, kind, device, evidence


class Change(Struct, frozen=True):
    """One line of the story. `learning`: in the first days, which only serve to learn habits."""

    time: str  # ISO 8601, local
    what: str
    kind: str
    device: str = ""
    learning: bool = False
    evidence: Evidence | None = None


class Stop(Struct, frozen=True):
    """What followed after the sensors were silenced; times are local, None: it never came."""

    stopped_at: str
    first_warning: str | None
    first_alarm: str | None
    alarm_kind: str | None
    delay_s: float | None
    standing: tuple[str, ...]  # already before: "alarm quiet", "warning not_up"


class Summary(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """The result as `--json` prints it."""

    rows: int
    skipped: dict[Reason, int]
    begin: str
    end: str
    days: float
    learn_days: float
    changes: list[Change]
    alarms: int
    alarm_kinds: dict[Kind, int]
    false_alarms_per_day: float | None  # None: all days were learning days
    stalls: int
    utc_zone_h: float | None = None  # assumed for times in UTC; None: there were none
    stop: Stop | None = None


class Story:
    """Records what a `Replay` decides; times are UTC seconds."""

    def __init__(self, begin_utc: float, learn_days: float = 0.0) -> None:
        self.changes: list[Change] = []
        self.alarms: list[tuple[float, Kind]] = []  # all, those of the learning days too
        self.warnings: list[float] = []
        self.presences = [(begin_utc, PresenceKind.UNKNOWN)]
        self._taught_at = begin_utc + learn_days * DAY_S

    def note(self, at: float, before: HomeState, after: HomeState, effects: list[Effect]) -> None:
        """Record one decision: the `note` of a replay."""
        zone_s = after.clock.zone_s
        for what, kind, device, evidence in self._changes(at, before, after, effects):
            learning = at < self._taught_at
            when = iso(at, zone_s)
            self.changes.append(Change(when, what, kind, device, learning, evidence))

    def counted(self, until_utc: float) -> Counter[Kind]:
        """Count the alarms by kind, from the end of learning until `until_utc`."""
        return Counter(k for at, k in self.alarms if self._taught_at <= at < until_utc)

    def _changes(
        self, at: float, before: HomeState, after: HomeState, effects: list[Effect]
    ) -> Iterator[Told]:
        events = [e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]
        for publish in events:
            yield from self._event(at, publish)
        yield from self._warned(at, before, after, called=bool(events))
        if after.faults is not before.faults:
            yield from _faults(before, after)
        presence = after.house.presence.kind
        if presence is not before.house.presence.kind:
            self.presences.append((at, presence))
            yield "presence", presence, "", None

    def _event(self, at: float, publish: Publish) -> Iterator[Told]:
        _, event = wire.decode_from_hub(publish.topic, publish.payload)
        match event:
            case AlarmEvent():
                yield self._alarm(at, event)
            case CheckInEvent(data=data):
                yield "checkin", data.result, data.by, None
            case CareEvent(data=data):
                yield "care", data.care, "", None
            case _:
                pass

    def _warned(
        self, at: float, before: HomeState, after: HomeState, *, called: bool
    ) -> Iterator[Told]:
        was, now = before.warning, after.warning
        if (was and was.kind) is (now and now.kind):
            return
        if was and not called:  # else it has become an alarm
            yield "warning_over", was.kind, was.device, None
        if now:
            self.warnings.append(at)
            yield "warning", now.kind, now.device, now.evidence

    def _alarm(self, at: float, event: AlarmEvent) -> Told:
        data = event.data
        if data.what is What.RAISED or (data.what is What.REPEATED and data.kind in AUTOMATIC):
            self.alarms.append((at, data.kind))
        what = "alarm" if data.what is What.RAISED else str(data.what)
        return what, data.kind, data.device, data.evidence


def _faults(before: HomeState, after: HomeState) -> Iterator[Told]:
    for fault in sorted(after.faults.keys() ^ before.faults.keys()):
        told = after.faults.get(fault) or before.faults[fault]
        yield "fault" if fault in after.faults else "fault_over", told.kind, told.device, None


def as_json(summary: Summary) -> str:
    """Return the summary as one line of JSON, with the fields of `stop` beside the others."""
    told = to_builtins(summary)
    told |= told.pop("stop") or {}
    return msgspec.json.encode(told).decode()


def iso(utc: float, zone_s: float) -> str:
    """Return local time with its offset, to the second."""
    zone = timezone(timedelta(seconds=zone_s))
    return datetime.fromtimestamp(utc, zone).isoformat(timespec="seconds")
