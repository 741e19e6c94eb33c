"""What the running centre counts, and its metrics page. Any thread may count.

`prometheus_client` writes the page. What it writes differently is put back, since scripts read the
page: its own `Histogram` labels a bucket `le="60.0"`, not `le="60"`; it writes 3 as `3.0`, which a
shell does not compare with `-gt`.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client import Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

Family = Metric  # a metric with all its label values
S = TypeVar("S", bound=str)

BUCKETS_S = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0)  # 60 and 180: TSA


class Tally:
    """Counts since the start; `refused` goes on from the counts that the store holds."""

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
        """Count a message that was refused; return the count of its reason."""
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
        """Return the number of refused messages by reason."""
        with self._lock:
            return dict(self._refused)

    def metrics(self) -> Iterator[Family]:
        """Return the counters and the histogram of waiting times."""
        with self._lock:
            counts, refused = dict(self._counts), dict(self._refused)
            waits, waited_s = dict(self._waits), self._waited_s
        about = "Messages that were not as the contract says."
        yield _counter("anbu_refused", about, "reason", refused)
        for name in sorted({name for name, _ in counts}):
            values = {label: n for (held, label), n in counts.items() if held == name}
            yield _counter(f"anbu_{name}", f"{name} since the start.", "kind", values)
        yield _histogram(waits, waited_s)


def gauge(name: str, about: str, label: str, values: Mapping[S, float]) -> Family:
    """Make a gauge with one label; the value of an empty label value has no label."""
    family = GaugeMetricFamily(name, about)
    for value, number in values.items():
        family.add_sample(name, {label: str(value)} if value else {}, number)
    return family


def render(metrics: Iterable[Family]) -> str:
    """Write the page in Prometheus' text format 0.0.4; a whole number has no decimal point."""
    lines = generate_latest(_Page(metrics)).decode().removesuffix("\n").split("\n")
    return "".join(f"{_plain(line)}\n" for line in lines)


def _plain(line: str) -> str:
    if line.startswith("#"):
        return line
    series, _, value = line.rpartition(" ")
    return f"{series} {float(value):.15g}"


def _counter(name: str, about: str, label: str, values: Mapping[str, float]) -> Family:
    family = CounterMetricFamily(name, about)
    for value, number in values.items():
        family.add_sample(f"{name}_total", {label: str(value)} if value else {}, number)
    return family


def _histogram(waits: Mapping[float, int], waited_s: float) -> Family:
    buckets: list[tuple[str, float]] = []
    below = 0
    for edge_s in BUCKETS_S:
        below += waits.get(edge_s, 0)
        buckets.append((f"{edge_s:g}", below))
    buckets.append(("+Inf", below + waits.get(float("inf"), 0)))
    name, about = "anbu_time_to_take_seconds", "From received to taken by a person."
    return HistogramMetricFamily(name, about, buckets=buckets, sum_value=waited_s)


class _Page(Collector):
    """The families of one answer; the library's registry is for those of a whole process."""

    def __init__(self, metrics: Iterable[Family]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Family]:
        """Return the families in the order of the page."""
        return self._metrics
