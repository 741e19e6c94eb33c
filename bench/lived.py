"""One home of the bench `quiet`: replayed once, with a branch for each fall."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from msgspec import Struct

from bench.emergencies import Class, Stretch, Times, read_truth
from hub.contract.messages import PresenceKind
from hub.contract.scaip import AUTOMATIC
from hub.replay.simulate import Replay, fall
from hub.replay.summary import DAY_S, Story
from hub.replay.trace import Row, Trace, opened

HOUR_S = 3600.0
PATIENCE_S = 48 * HOUR_S
LEARN_SHARE = 1 / 3


class Fall(Struct, frozen=True):
    """One emergency. `delay_s` is None when nothing noticed it; `random`: not drawn by class."""

    at: float
    kind: Class
    random: bool
    warned: bool  # a warning stood at the moment
    delay_s: float | None
    alarm: str

    @property
    def hours(self) -> float:
        """How long it took; 48 h where nothing noticed it."""
        return (PATIENCE_S if self.delay_s is None else self.delay_s) / HOUR_S


class Home(Struct, frozen=True):
    """What came of one home."""

    name: str
    days: float  # after learning
    false: Counter[str]
    falls: list[Fall]
    skipped: int  # moments at which an alarm stood
    stalls: int
    away: tuple[float, float, float] | None  # days said, true, both
    events_s: float  # of the processor's time, without the falls

    @property
    def false_day(self) -> float:
        """False alarms a day."""
        return self.false.total() / self.days if self.days > 0 else 0.0


def measure(file: Path, count: int, each: int, learn_days: float, seed: int) -> Home:
    """Replay one home with `count` emergencies and `each` of every class."""
    with opened(file) as lines:
        trace = Trace(lines, now_utc=time.time(), lenient=True)
        rows = list(trace)
    times = Times(rows, read_truth(file))
    begin, end = rows[0].utc, rows[-1].utc
    learn_days = min(learn_days, (end - begin) / DAY_S * LEARN_SHARE)
    taught = begin + learn_days * DAY_S
    dice = Random(f"{seed} {file.name}")  # noqa: S311 - a bench that can be repeated
    moments = [(at, True) for at in times.draw(count, taught, dice)]
    spares = times.draw(count, taught, dice)
    for kind in (Class.SLEEP, Class.BATHROOM, Class.RETURNED):
        moments += [(at, False) for at in times.draw(each, taught, dice, kind)]
    story = Story(begin, learn_days)
    replay = Replay(rows[0], note=story.note)
    began = time.process_time()
    falls, skipped, spent_s = _live(replay, rows, sorted(moments), spares, times)
    took_s = time.process_time() - began - spent_s
    return Home(
        name=file.stem,
        days=(end - taught) / DAY_S,
        false=Counter({str(k): n for k, n in story.counted(end + 1).items() if k in AUTOMATIC}),
        falls=falls,
        skipped=skipped,
        stalls=replay.stalls,
        away=_away(story, times.truth, taught, end),
        events_s=len(rows) / took_s,
    )


def _live(
    replay: Replay,
    rows: Sequence[Row],
    moments: list[tuple[float, bool]],
    spares: list[float],
    times: Times,
) -> tuple[list[Fall], int, float]:
    """Replay the trace; return the falls, how many moments were skipped, and their cost."""
    falls: list[Fall] = []
    skipped, spent_s = 0, 0.0
    for row in rows:
        while moments and moments[0][0] <= row.utc:
            began = time.process_time()
            at, random = moments.pop(0)
            branch = replay.branch()
            branch.reach(at)
            if branch.state.alarms:
                skipped += 1
                later = [spare for spare in spares if spare > at][:1]
                if random and later:
                    spares.remove(later[0])
                    moments = sorted([*moments, (later[0], True)])
            else:
                falls.append(_fall(branch, at, times.kind(at), random=random))
            spent_s += time.process_time() - began
        replay.feed(row)
    return falls, skipped, spent_s


def _fall(branch: Replay, at: float, kind: Class, *, random: bool) -> Fall:
    story = Story(at)
    branch.note = story.note
    warned = branch.state.warning is not None
    branch.silence(at)
    alarm = fall(branch, story, at, PATIENCE_S)
    if alarm is None:
        return Fall(at, kind, random, warned, None, "")
    return Fall(at, kind, random, warned, alarm[0] - at, alarm[1])


def _away(
    story: Story, truth: list[Stretch], begin: float, end: float
) -> tuple[float, float, float] | None:
    """Compare the time said to be away with the truth: days said, true, and both."""
    if not truth:
        return None
    ends = [*(at for at, _ in story.presences[1:]), end]
    said = [
        (max(at, begin), until)
        for (at, kind), until in zip(story.presences, ends, strict=True)
        if kind is PresenceKind.AWAY and until > begin
    ]
    true = [(max(s.start, begin), s.end) for s in truth if s.state == "away" and s.end > begin]
    both = [(max(a, c), min(b, d)) for a, b in said for c, d in true if max(a, c) < min(b, d)]
    return _days(said), _days(true), _days(both)


def _days(spans: list[tuple[float, float]]) -> float:
    return sum(b - a for a, b in spans) / DAY_S
