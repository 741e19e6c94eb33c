"""`anbu house simulate`: writes the trace of a simulated life as CSV. It needs no running house.

Exit codes: 0 done; 1 a file cannot be written; 2 wrong arguments, or no such profile.
"""

import csv
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import TextIO

from drivers.lives.generate import FIRST_DAY, Interval, Row, chapters
from drivers.lives.home import PROFILES, meet
from hub.shared.messages import messages, ours

MOST_DAYS = 36_600
LAST_START = date(2999, 12, 31)


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu house simulate`."""
    said = ours("drivers.virtual")["lives"]
    parser.add_argument("--days", type=_days, required=True, help=said["days_about"])
    parser.add_argument("--seed", type=int, required=True, help=said["seed_about"])
    parser.add_argument("--profile", required=True, metavar="NAME", help=said["profile_about"])
    parser.add_argument("--start", type=_start, default=FIRST_DAY, help=said["start_about"])
    parser.add_argument("--out", type=Path, metavar="FILE", help=said["out_about"])
    parser.add_argument("--truth", type=Path, metavar="FILE", help=said["truth_about"])


def run(args: Namespace) -> int:
    """Write the trace to `--out` or stdout, and the truth to `--truth`."""
    said = messages("drivers.virtual", args.lang)["lives"]
    if args.profile not in PROFILES:
        known = ", ".join(sorted(PROFILES))
        return _fail(said["no_profile"].format(name=args.profile, known=known), Exit.MISUSED)
    try:
        with ExitStack() as files:
            trace = files.enter_context(_opened(args.out)) if args.out else sys.stdout
            truth = files.enter_context(_opened(args.truth)) if args.truth else None
            _write(args, trace, truth)
            trace.flush()
    except BrokenPipeError:  # the reader has ended, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        file = error.filename or args.out or "stdout"
        reason = error.strerror or error
        return _fail(said["no_file"].format(file=file, reason=reason), Exit.REFUSED)
    return Exit.DONE


def _write(args: Namespace, trace: TextIO, truth: TextIO | None) -> None:
    rows = csv.writer(trace, lineterminator="\n")
    rows.writerow(Row._fields)
    intervals = csv.writer(truth, lineterminator="\n") if truth else None
    if intervals:
        intervals.writerow(Interval._fields)
    for seen, true in chapters(meet(args.profile, args.seed), args.days, args.start):
        rows.writerows(seen)
        if intervals:
            intervals.writerows(true)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0  # noqa: PLR2004
    if not 0 < days <= MOST_DAYS:
        raise ArgumentTypeError(
            ours("drivers.virtual")["lives"]["days_wrong"].format(most=MOST_DAYS)
        )
    return days


def _start(text: str) -> date:
    try:
        start = date.fromisoformat(text)
    except ValueError:
        start = date.min
    if not date(1900, 1, 1) <= start <= LAST_START:
        raise ArgumentTypeError(ours("drivers.virtual")["lives"]["start_wrong"])
    return start


def _fail(sentence: str, code: Exit) -> int:
    sys.stderr.write(sentence + "\n")
    return code
