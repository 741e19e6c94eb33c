"""`anbu replay FILE`: decides again on a trace of sensors, or on a black box's transcript.

Exit codes: 0 done; 1 a transcript has other effects now, or a picture cannot be written; 2 bad
input.
"""

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from hub.core.model.rules import CareRules
from hub.replay.simulate import RULES, Options, OutsideError
from hub.replay.simulate import run as run_trace
from hub.replay.summary import Summary, as_json
from hub.replay.text import mistake, story_lines
from hub.replay.trace import Row, TraceError
from hub.replay.transcript import TranscriptError, is_packed, replay
from hub.shared.language import Language
from hub.shared.messages import messages, ours

DONE, FAILED, USAGE_ERROR = 0, 1, 2
PICTURES = {".png", ".svg"}
FOR_TRACES = ("stop_at", "learn_days", "check_ins", "lenient", "zone_h", "plot")
WEST_H, EAST_H = -12.0, 14.0  # of all zones, in hours ahead of UTC


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu replay`."""
    about = ours("hub", "replay")["about"]
    parser.description = about["command"]
    parser.add_argument("file", type=Path, metavar="FILE", help=about["file"])
    parser.add_argument("--json", action="store_true", help=about["json"])
    parser.add_argument("--stop-at", type=_time, metavar="TIME", help=about["stop_at"])
    parser.add_argument("--learn-days", type=_days, metavar="N", help=about["learn_days"])
    parser.add_argument("--check-ins", action="store_true", help=about["check_ins"])
    parser.add_argument("--lenient", action="store_true", help=about["lenient"])
    parser.add_argument("--zone-h", type=_zone, metavar="H", help=about["zone_h"])
    parser.add_argument("--plot", type=_picture, metavar="FILE", help=about["plot"])


def run(args: Namespace) -> int:
    """Replay what the file holds, and print it."""
    args.lang = Language(args.lang)
    try:
        return _transcript(args) if _is_transcript(args.file) else _trace(args)
    except (TraceError, OutsideError) as error:
        _complain(mistake(args.file, error, args.lang))
    except OSError as error:
        _complain(f"{args.file}: {error.strerror}")
    except TranscriptError as error:
        _complain(f"{args.file}: {error}")
    return USAGE_ERROR


def _trace(args: Namespace) -> int:
    options = Options(
        now_utc=time.time(),
        learn_days=args.learn_days or 0.0,
        stop_at=args.stop_at,
        lenient=args.lenient,
        zone_s=None if args.zone_h is None else args.zone_h * 3600.0,
        rules=replace(RULES, care=CareRules()) if args.check_ins else RULES,
    )
    draw: Callable[[Summary, Language, Path], None] | None = None
    seen: Callable[[Row], object] | None = None
    wrong = messages("hub", args.lang, "replay")["wrong"]
    if args.plot:
        try:
            from hub.replay.plot import Picture  # noqa: PLC0415 - matplotlib is an extra
        except ImportError:
            _complain(wrong["no_matplotlib"])
            return USAGE_ERROR
        picture = Picture()
        seen, draw = picture.see, picture.draw
    summary = run_trace(args.file, options, seen)
    if args.json:
        sys.stdout.write(as_json(summary) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in story_lines(summary, args.lang))
    if draw:
        try:
            draw(summary, args.lang, args.plot)
        except OSError as error:
            reason = error.strerror or error
            _complain(wrong["no_file"].format(file=args.plot, reason=reason))
            return FAILED
    return DONE


def _transcript(args: Namespace) -> int:
    given = [name for name in FOR_TRACES if getattr(args, name) not in {None, False}]
    misplaced = [f"--{name.replace('_', '-')}" for name in given]
    if misplaced:
        sentence = messages("hub", args.lang, "replay")["wrong"]["transcript"]
        _complain(f"{args.file}: {sentence.format(options=', '.join(misplaced))}")
        return USAGE_ERROR
    found = replay(args.file)
    if args.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        difference = found.difference
        said = messages("hub", args.lang, "replay")["transcript"]
        lines = [*found.story, said["events"].format(n=found.events)]
        if difference:
            was, now = map("; ".join, (difference.was, difference.now))
            told = {"line": difference.line, "event": difference.event, "was": was, "now": now}
            lines.append(said["differs"].format(**told))
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return FAILED if found.difference else DONE


def _is_transcript(file: Path) -> bool:
    """Whether a file is a black box's JSON lines, not a trace's CSV: by its name or first byte."""
    if file.suffix == ".csv":
        return False
    with file.open("rb") as opened:
        return file.suffix == ".jsonl" or opened.read(1) == b"{" or is_packed(file)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(ours("hub", "replay")["wrong"]["time"]) from None


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < float("inf"):
        raise ArgumentTypeError(ours("hub", "replay")["wrong"]["days"])
    return days


def _zone(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = float("nan")
    if not WEST_H <= hours <= EAST_H:
        raise ArgumentTypeError(ours("hub", "replay")["wrong"]["zone"])
    return hours


def _picture(text: str) -> Path:
    file = Path(text)
    if file.suffix not in PICTURES:
        raise ArgumentTypeError(ours("hub", "replay")["wrong"]["picture"])
    return file


def _complain(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
