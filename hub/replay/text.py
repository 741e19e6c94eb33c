"""The result of a replayed trace as sentences, for an installer."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hub.contract.messages import Evidence
from hub.replay.simulate import OutsideError
from hub.replay.summary import Change, Stop, Summary, iso
from hub.replay.trace import TraceError
from hub.shared.language import Language
from hub.shared.messages import Messages, messages

MINUTE_S, HOUR_MIN = 60.0, 60
SHOWN = len("2026-03-01T09:00")


def mistake(file: Path, error: TraceError | OutsideError, language: Language) -> str:
    """Return what is wrong with a trace, as `file:line: sentence` where there is a line."""
    reasons = messages("hub", language, "replay")["reason"]
    if isinstance(error, OutsideError):
        begin, end = _short(error.begin), _short(error.end)
        return f"{file}: {reasons['outside'].format(begin=begin, end=end)}"
    return f"{file}:{error.line}: {reasons[error.reason].format(detail=error.detail)}"


def story_lines(summary: Summary, language: Language) -> Iterator[str]:
    """Yield a line for each change, then the totals."""
    say = messages("hub", language, "replay")
    for change in summary.changes:
        yield _change(change, say)
    story = say["story"]
    yield story["rows"].format(
        rows=f"{summary.rows:,}",
        begin=_short(summary.begin),
        end=_short(summary.end),
        days=summary.days,
    )
    if summary.utc_zone_h is not None:
        yield story["utc"].format(zone=summary.utc_zone_h)
    if summary.learn_days:
        yield story["learned"].format(learn=summary.learn_days)
    if summary.skipped:
        names = say["skipped"]
        counts = ", ".join(f"{names[reason]} {n}" for reason, n in summary.skipped.items())
        yield story["skipped"].format(list=counts)
    line = story["alarms"].format(alarms=summary.alarms)
    if summary.alarm_kinds:
        line += f" ({', '.join(f'{_kind(k, say)} {n}' for k, n in summary.alarm_kinds.items())})"
    if summary.false_alarms_per_day is not None:
        line += story["false"].format(false=summary.false_alarms_per_day)
    yield line
    if summary.stop:
        yield from _stop(summary.stop, say)


def _change(change: Change, say: Messages) -> str:
    parts = [_short(change.time), say["what"].get(change.what, change.what)]
    parts.append(_kind(change.kind, say))
    if change.device:
        parts.append(f"[{change.device}]")
    if change.evidence:
        parts.append(_evidence(change, change.evidence, say))
    if change.learning:
        parts.append(say["story"]["learning"])
    return "  ".join(parts)


def _evidence(change: Change, evidence: Evidence, say: Messages) -> str:
    story = say["story"]
    offset = datetime.fromisoformat(change.time).utcoffset()
    zone_s = offset.total_seconds() if offset else 0.0
    line = story["evidence"].format(
        since=_short(iso(evidence.since_utc, zone_s)),
        lasted=_span(evidence.lasted_s, say),
        limit=_span(evidence.limit_s, say),
    )
    if evidence.usual_s:
        line += story["usual"].format(usual=_span(evidence.usual_s, say))
    if evidence.last:
        line += story["last"].format(last=evidence.last)
    return line


def _stop(stop: Stop, say: Messages) -> Iterator[str]:
    story = say["story"]
    yield story["stopped"].format(at=_short(stop.stopped_at))
    if stop.standing:
        yield story["standing"].format(list=", ".join(_stood(s, say) for s in stop.standing))
    warned = stop.first_warning
    yield story["warned"].format(at=_short(warned)) if warned else story["unwarned"]
    if stop.first_alarm is None or stop.delay_s is None or stop.alarm_kind is None:
        yield story["unalarmed"]
        return
    kind, delay = _kind(stop.alarm_kind, say), _span(stop.delay_s, say)
    yield story["alarmed"].format(at=_short(stop.first_alarm), kind=kind, delay=delay)


def _stood(standing: str, say: Messages) -> str:
    what, _, kind = standing.partition(" ")
    return f"{say['what'][what]} ({_kind(kind, say)})"


def _kind(kind: str, say: Messages) -> str:
    return say["kind"].get(kind, kind)


def _span(seconds: float, say: Messages) -> str:
    h, m = divmod(round(seconds / MINUTE_S), HOUR_MIN)
    return say["story"]["span_h" if h else "span_m"].format(h=h, m=m)


def _short(time: str) -> str:
    return time[:SHOWN].replace("T", " ")
