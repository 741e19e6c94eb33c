"""Counters of the running centre, and their page in Prometheus' text format. Any thread counts."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

S = TypeVar("S", bound=str)

BUCKETS_S = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0)  # 60 and 180: TSA


class Metric(Struct, frozen=True):
    """One metric: `values` go from its labels (such as `state="ready"`, or '') to a number."""

    name: str
    kind: str
    help: str
    values: Mapping[str, float]


class Tally:
    """What was counted since the start; `refused` goes on from what the store remembers."""

    def __init__(self, refused: Mapping[str, int]) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._refused = Counter(refused)
        self._waits: Counter[float] = Counter()
        self._waited_s = 0.0

    def count(self, name: str, label: str = "") -> None:
        """Count one of `name`, split by `label`."""
        with self._lock:
            self._counts[name, label] += 1

    def refuse(self, reason: str) -> int:
        """Count a message that was refused; give the count of its reason."""
        with self._lock:
            self._refused[reason] += 1
            return self._refused[reason]

    def waited(self, seconds: float) -> None:
        """Count how long an alarm waited for a person."""
        with self._lock:
            bucket = next((b for b in BUCKETS_S if seconds <= b), float("inf"))
            self._waits[bucket] += 1
            self._waited_s += seconds

    def refused(self) -> dict[str, int]:
        """Give the refused messages by reason."""
        with self._lock:
            return dict(self._refused)

    def metrics(self) -> Iterator[Metric]:
        """Give the counters and the histogram of waiting times."""
        with self._lock:
            counts, refused = dict(self._counts), dict(self._refused)
            waits, waited_s = dict(self._waits), self._waited_s
        yield Metric(
            "anbu_refused_total",
            "counter",
            "Messages that were not as the contract says.",
            {_label("reason", reason): count for reason, count in refused.items()},
        )
        for name in sorted({name for name, _ in counts}):
            values = {_label("kind", k): n for (held, k), n in counts.items() if held == name}
            yield Metric(f"anbu_{name}_total", "counter", f"{name} since the start.", values)
        yield _histogram(waits, waited_s)


def _histogram(waits: Mapping[float, int], waited_s: float) -> Metric:
    values: dict[str, float] = {}
    below = 0
    for bucket in (*BUCKETS_S, float("inf")):
        below += waits.get(bucket, 0)
        edge = "+Inf" if bucket == float("inf") else f"{bucket:g}"
        values["_bucket" + _label("le", edge)] = below
    values |= {"_sum": waited_s, "_count": below}
    name = "anbu_time_to_take_seconds"
    return Metric(name, "histogram", "From received to taken by a person.", values)


def gauge(name: str, about: str, label: str, values: Mapping[S, float]) -> Metric:
    """Make a gauge with one label."""
    return Metric(name, "gauge", about, {_label(label, key): n for key, n in values.items()})


def render(metrics: Iterable[Metric]) -> str:
    """Write the page."""
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [f"{metric.name}{labels} {value:.15g}" for labels, value in metric.values.items()]
    return "\n".join(lines) + "\n"


def _label(name: str, value: str) -> str:
    if not value:
        return ""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{name}="{escaped}"}}'
