"""A whole trace from file to summary: what `anbu replay TRACE.csv` does."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.scaip import AUTOMATIC
from hub.core.model.rules import Rules
from hub.replay.simulate import RULES, Replay
from hub.replay.summary import DAY_S, Stop, Story, Summary, iso
from hub.replay.trace import Row, Trace, opened

HOUR_S = 3600.0
PATIENCE_S = 72 * 3600.0  # how long after `stop_at` an alarm is waited for


class Options(Struct, frozen=True):
    """How to replay. `stop_at` without an offset is in the local time of the trace."""

    now_utc: float
    learn_days: float = 0.0
    stop_at: datetime | None = None
    lenient: bool = False
    zone_s: float | None = None  # where the home is, if the trace tells its times in UTC
    rules: Rules = RULES


class OutsideError(Exception):
    """`stop_at` is not within the trace, which goes from `begin` to `end` (local times)."""

    def __init__(self, begin: str, end: str) -> None:
        super().__init__(begin, end)
        self.begin, self.end = begin, end


def run(path: Path, options: Options, seen: Callable[[Row], object] | None = None) -> Summary:
    """Replay the trace; `seen` gets each row that is taken.

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
            replay.take(row)
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
    """Count up to where the sensors fell silent: what came after that was no false alarm."""
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
    """Silence every sensor, and tick on until the alarm."""
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
    """Go on without a sensor from `at` until an automatic alarm: give when and its kind, or None.

    An alarm that stood before `at` is none of it.
    """
    checked = len(story.alarms)
    while (due := replay.next_due()) is not None and due <= at + patience_s:
        replay.step(due)
        for when, kind in story.alarms[checked:]:
            if kind in AUTOMATIC and when >= at:
                return when, kind
        checked = len(story.alarms)
    return None
