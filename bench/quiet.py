"""How soon an emergency is noticed, and how often an alarm is false: `quiet [DIR or FILE]...`.

Each `NAME.csv` in DIR is a home (`NAME.truth.csv` beside it: what was true). The home is replayed
once; at each of 200 random moments while home a second future branches off, in which no sensor
speaks any more, until an automatic alarm or for 48 h, which then count. An alarm that stood already
is no detection: another moment is drawn. All other alarms of the trace are false. The classes are
drawn apart. The first days (14, or a third of a short trace) only teach.

`--without PART` leaves a part of the judgement out, to see what it buys: `hours` (all hours are
alike), `device` (whichever was active last), `week`, `peaks` (the prior's limit for all homes).
"""

import subprocess
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from unittest.mock import patch

from bench.emergencies import Class
from bench.lived import Fall, Home, measure
from bench.report import Report, arguments, percentile
from hub.core.activity import habits
from hub.core.model.activity import BINS, FRESH

MEAN_H, FALSE_DAY = 4.0, 0.05
PROFILES = ("homebody", "early-riser", "outings", "insomniac", "visitors", "night-shift")
START = "2025-01-06"  # a trace from here is past
_new_limit = habits.limit
PARTS: dict[str | None, AbstractContextManager[object]] = {
    None: nullcontext(),
    "hours": patch.multiple(habits, NEAR=((0, 0.0),), WIDE=range(BINS)),
    "device": patch.object(habits, "by_device", lambda *_: 1.0),
    "week": patch.object(habits, "PRIOR_WEEK", 1e12),
    "peaks": patch.object(habits, "limit", lambda _, rules: _new_limit(FRESH, rules)),
}


def main() -> int:
    """Measure every home, and print."""
    parser = arguments(__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="traces or folders; else simulated")
    parser.add_argument("--count", type=int, help="emergencies a home (200; short: 40)")
    parser.add_argument("--learn-days", type=float, default=14.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", choices=[part for part in PARTS if part])
    args = parser.parse_args()
    left_out = f", without {args.without}" if args.without else ""
    report = Report(f"detection: emergencies at random moments while home{left_out}")
    with TemporaryDirectory() as folder, PARTS[args.without]:
        if not args.paths:
            args.paths = [Path(folder)]
            few = PROFILES[:2] if args.short else PROFILES
            simulate(Path(folder), few, days=35 if args.short else 60)
        homes = list(_homes(args))
    for home in homes:
        _tell(report, home)
    _sum(report, homes)
    return report.finish(as_json=args.json)


def simulate(folder: Path, profiles: Iterable[str], *, days: int) -> None:
    """Make a simulated home of each profile, with its truth."""
    for profile in profiles:
        file, truth = folder / f"{profile}.csv", folder / f"{profile}.truth.csv"
        words = [sys.executable, "-m", "hub", "house", "simulate", "--days", str(days)]
        words += ["--seed", "1", "--profile", profile, "--start", START]
        subprocess.run([*words, "--out", str(file), "--truth", str(truth)], check=True)


def _homes(args: Namespace) -> Iterable[Home]:
    count = args.count or (40 if args.short else 200)
    folders = (sorted(path.glob("*.csv")) if path.is_dir() else [path] for path in args.paths)
    for file in chain.from_iterable(folders):
        if not file.name.endswith(".truth.csv"):
            yield measure(file, count, count // 4, args.learn_days, args.seed)


def _tell(report: Report, home: Home) -> None:
    falls = [f for f in home.falls if f.random]
    hours = [f.hours for f in falls] or [0.0]
    report.add(f"{home.name}: false alarms", home.false_day, "/day", hard=False)
    report.add(f"{home.name}: mean detection", fmean(hours), "h", hard=False)
    found = Counter(f.alarm or "nothing" for f in falls)
    away = ""
    if home.away:
        said, true, both = home.away
        away = f"; away: said {said:.1f} d, true {true:.1f} d, both {both:.1f} d"
    report.notes.append(
        f"{home.name}: {home.days:.0f} days, false {_list(home.false)}; {len(falls)} falls: "
        f"mean {fmean(hours):.1f} median {median(hours):.1f} p90 {percentile(hours, 90):.1f} "
        f"max {max(hours):.1f} h, by {_list(found)}; warned already {sum(f.warned for f in falls)}"
        f", moments skipped {home.skipped}{away}; {home.events_s:,.0f} events/s"
    )


def _sum(report: Report, homes: list[Home]) -> None:
    falls = [f for home in homes for f in home.falls]
    drawn = [f for f in falls if f.random]
    means = [fmean(f.hours for f in h.falls if f.random) for h in homes if any(h.falls)]
    days = sum(home.days for home in homes)
    false = sum(home.false.total() for home in homes)
    report.add("false alarms", false / days if days else 0, "/day", at_most=FALSE_DAY, hard=False)
    report.add("mean detection, of homes", fmean(means or [0]), "h", at_most=MEAN_H, hard=False)
    _spread(report, "detection", drawn)
    for kind in Class:
        _spread(report, f"detection {kind}", [f for f in falls if f.kind is kind])
    report.add("unnoticed in 48 h", sum(f.delay_s is None for f in drawn), "falls", hard=False)
    report.add("deadlines that stood still", sum(h.stalls for h in homes), "", at_most=0)


def _spread(report: Report, name: str, falls: list[Fall]) -> None:
    hours = [f.hours for f in falls] or [0.0]
    report.add(f"{name}, mean of {len(falls)}", fmean(hours), "h", at_most=MEAN_H, hard=False)
    for label, value in (
        ("median", median(hours)),
        ("p90", percentile(hours, 90)),
        ("max", max(hours)),
    ):
        report.add(f"{name}, {label}", value, "h", hard=False)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in counts.most_common()) or "0"


if __name__ == "__main__":
    sys.exit(main())
