"""How far back the black box reaches: a simulated home whose resident wears a band day and night.

The home's movements and doors (`anbu house simulate`), the hub's heartbeats, a report of counts
each five minutes and a band of one reading a second, with the times between beats, go through the
decisions and into a black box, as the hub's own would. Beside it is the same day as it was before
readings were joined and files packed: each reading an event of its own, in plain files. The
processor's time is that of the decisions alone. A packed file is replayed: it must decide the same.
"""

import heapq
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from msgspec import Struct

from bench.quiet import simulate
from bench.report import Report, arguments
from drivers.bluetooth.virtual.heart import Heart
from drivers.radio import TELEMETRY_S, Pulses
from drivers.virtual.words import Variation
from hub.config import BlackBoxSettings
from hub.core.decide import decide, next_wake
from hub.core.model.events import (
    ContactChanged,
    Event,
    Heartbeat,
    HeartRateMeasured,
    LinkUp,
    Measured,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import CareRules, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from hub.process.blackbox import BlackBox
from hub.process.watchdog import interval_s
from hub.replay.trace import Row, Sort, Trace, opened, with_device
from hub.replay.transcript import replay

DAY_S, HOUR_S = 86_400.0, 3600.0
BAND, ZONE_S, BEHIND = "band", 32_400.0, 500
LEAST_DAYS = 7.0
BPM = (64.0, 68.0, 72.0, 78.0, 70.0, 66.0)  # of the day's parts, four hours each
NO_CARE = CareRules(times=())  # nobody is there to answer


class Day(Struct, frozen=True):
    """What a stretch of time took: of the disk, plain and packed, in MB, and of the processor."""

    plain_mb: float
    packed_mb: float
    events: int
    cpu_s: float


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    parser.add_argument("--profile", default="homebody")
    args = parser.parse_args()
    hours = 3.0 if args.short else 24.0
    report, a_day = Report("the black box of a home with a band"), DAY_S / (hours * HOUR_S)
    settings = BlackBoxSettings()
    bound_mb = settings.files * settings.file_mb
    with TemporaryDirectory() as folder:
        simulate(Path(folder), [args.profile], days=2)
        file = Path(folder) / f"{args.profile}.csv"
        single = live(file, hours, Path(folder) / "single", joins=False)
        now = live(file, hours, Path(folder) / "now", joins=True)
        differ = sum(
            replay(path).difference is not None for path in (Path(folder) / "now").glob("*.gz")
        )
    report.add("before: a day, plain", single.plain_mb * a_day, "MB")
    report.add("before: it reaches back", bound_mb / (single.plain_mb * a_day), "days")
    report.add("before: decisions a day", single.cpu_s * a_day, "s", hard=False)
    report.add("a day, written plain", now.plain_mb * a_day, "MB")
    report.add("a day, packed", now.packed_mb * a_day, "MB")
    days = (bound_mb - settings.file_mb) / (now.packed_mb * a_day)
    report.add("it reaches back", days, "days", at_least=LEAST_DAYS, hard=True)
    report.add("events a day", now.events * a_day, "", floor=single.events * a_day)
    report.add("decisions a day", now.cpu_s * a_day, "s", floor=single.cpu_s * a_day)
    report.add("files that decide otherwise", differ, "", at_most=0)
    return report.finish(as_json=args.json)


def live(file: Path, hours: float, folder: Path, *, joins: bool) -> Day:
    """Let a home live for so long, by the second day of its trace."""
    with opened(file) as lines:
        rows = [row for row in Trace(lines, now_utc=time.time()) if row.zone_s == ZONE_S]
    began = rows[0].utc + DAY_S
    rows = [row for row in rows if began <= row.utc < began + hours * HOUR_S]
    rules = Rules(hub="bench", care=NO_CARE, sensors={BAND: Sensor(Sense.WEARABLE)})
    for row in rows:
        rules = with_device(rules, row.device, row.sort)
    box = BlackBox(folder, file_mb=1e3, files=10)
    state = HomeState()
    box.begin(rules, state)
    events, cpu_s = 0, 0.0
    for event in _events(rows, began, hours, joins=joins):
        due = next_wake(state, rules)
        while due is not None and due < event.at:
            state, took_s = _decide(box, state, Ticked(due), rules)
            events, cpu_s = events + 1, cpu_s + took_s
            after = next_wake(state, rules)
            due = after if after is None or after > due else None
        state, took_s = _decide(box, state, event, rules)
        events, cpu_s = events + 1, cpu_s + took_s
    box.close()
    plain = sum(path.stat().st_size for path in folder.iterdir())
    box = BlackBox(folder, file_mb=1e3, files=10)
    box.begin(rules, state)  # the next file packs the one before
    box.close()
    packed = sum(path.stat().st_size for path in folder.glob("*.gz"))
    return Day(plain / 1e6, packed / 1e6, events, cpu_s)


def _decide(box: BlackBox, state: HomeState, event: Event, rules: Rules) -> tuple[HomeState, float]:
    began = time.process_time()
    state, effects = decide(state, event, rules)
    took_s = time.process_time() - began
    while box.waiting > BEHIND:  # a bench is faster than a home
        time.sleep(0.001)
    box.record(event, effects, state, rules)
    return state, took_s


def _events(rows: list[Row], began: float, hours: float, *, joins: bool) -> Iterator[Event]:
    """Yield the facts of a home, in their order; monotonic seconds count from its start."""
    end = hours * HOUR_S
    yield Started(0.0, began, synced=True, boot="bench", zone_s=ZONE_S)
    yield LinkUp(0.1, "broker")
    pulse = _each(interval_s(), end)
    facts: tuple[Iterator[Event], ...] = (
        (Heartbeat(at, began + at, synced=True, zone_s=ZONE_S) for at in pulse),
        (_counts(at) for at in _each(TELEMETRY_S, end)),
        (_fact(row, row.utc - began) for row in rows),
        _band(end, joins=joins),
    )
    yield from heapq.merge(*facts, key=lambda event: event.at)


def _each(every_s: float, end: float) -> Iterator[float]:
    return (n * every_s + 0.137 for n in range(1, int(end / every_s)))


def _counts(at: float) -> Measured:
    return Measured(at, {"radio_heard": at * 7.0 // 1.0, "radio_refused_repeat": at * 5.0 // 1.0})


def _fact(row: Row, at: float) -> Event:
    if row.sort is Sort.MOTION:
        return MotionChanged(at, row.device, row.value > 0)
    return ContactChanged(at, row.device, row.value == 0)


def _band(end: float, *, joins: bool) -> Iterator[HeartRateMeasured]:
    """Yield a band's readings, one a second and a little late, each by itself or as now."""
    dice = Random(1)  # noqa: S311 - a bench's dice
    heart, told = Heart(dice), list[Event]()
    pulses = Pulses(told.append)
    for n in range(int(end)):
        at, bpm = n + 1.0 + dice.random() * 0.05, BPM[int(n / DAY_S * len(BPM)) % len(BPM)]
        rr_ms = heart.beat(1.0, bpm, Variation.NORMAL)
        # as the service sends them: in 1/1024 s
        rr_ms = tuple(round(one * 1.024) / 1.024 for one in rr_ms)
        shown = bpm if not rr_ms else float(round(60_000.0 / rr_ms[-1]))
        reading = HeartRateMeasured(at, BAND, shown, rr_ms, worn=True)
        if joins:
            pulses.take(reading, at)
        else:
            told.append(reading)
        yield from (event for event in told if isinstance(event, HeartRateMeasured))
        told.clear()


if __name__ == "__main__":
    sys.exit(main())
