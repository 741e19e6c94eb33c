"""What a bench prints: each figure beside its bar and its floor, as a table or as JSON.

A bar about time is only told as met or missed: machines differ. Any other bar that is broken
makes the bench fail.
"""

import argparse
import json
import math
import platform
import time
from collections.abc import Sequence

from msgspec import Struct, to_builtins

TIMES = frozenset({"ms", "s", "msg/s", "%"})


class Figure(Struct, frozen=True):
    """One line of the table; `hard` says whether a broken bar fails the bench."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    floor: float | None = None
    hard: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bars are met; None where there is none."""
        if self.at_most is None is self.at_least:
            return None
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)


class Report:
    """The figures of one run."""

    def __init__(self, title: str) -> None:
        self.title, self.figures = title, list[Figure]()
        self.notes: list[str] = []
        self._began = time.monotonic()

    def add(  # noqa: PLR0913 - a line of the table has these columns
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        floor: float | None = None,
        hard: bool | None = None,
    ) -> None:
        """Note a figure; unless told otherwise, one that is not about time or speed is hard."""
        hard = unit not in TIMES if hard is None else hard
        self.figures.append(Figure(name, value, unit, at_most, at_least, floor, hard))

    def spread(
        self,
        name: str,
        times_s: Sequence[float],
        bars: dict[str, float] | None = None,
        floor_s: Sequence[float] = (),
    ) -> None:
        """Note p50, p90, p99 and max of `times_s` in ms, beside those of the floor."""
        for label, share in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)):
            floor = percentile(floor_s, share) * 1e3 if floor_s else None
            value = percentile(times_s, share) * 1e3
            self.add(f"{name} {label}", value, "ms", at_most=(bars or {}).get(label), floor=floor)

    def finish(self, *, as_json: bool) -> int:
        """Print everything; 1 when a hard bar is broken."""
        failed = any(f.hard and f.met is False for f in self.figures)
        took_s = round(time.monotonic() - self._began, 1)
        if as_json:
            told = {
                "title": self.title,
                "machine": f"{platform.machine()}, Python {platform.python_version()}",
                "took_s": took_s,
                "failed": failed,
                "figures": [to_builtins(f) | {"met": f.met} for f in self.figures],
                "notes": self.notes,
            }
            print(json.dumps(told, ensure_ascii=False))
        else:
            self._print(took_s)
        return int(failed)

    def _print(self, took_s: float) -> None:
        print(f"{self.title}  ({took_s} s)")
        width = max((len(f.name) for f in self.figures), default=0)
        for f in self.figures:
            floor = "" if f.floor is None else f"floor {f.floor:.4g}"
            print(f"  {f.name:{width}}  {f.value:>9.4g} {f.unit:9} {_bar(f):22} {floor}".rstrip())
        for note in self.notes:
            print(f"  {note}")


def _bar(figure: Figure) -> str:
    if figure.met is None:
        return ""
    verdict = "met" if figure.met else "BROKEN" if figure.hard else "missed"
    if figure.at_least is None:
        return f"<= {figure.at_most:g} {verdict}"
    if figure.at_most is None:
        return f">= {figure.at_least:g} {verdict}"
    return f"= {figure.at_most:g} {verdict}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` percent lie (nearest rank); 0 of nothing."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * share / 100) - 1)] if ranked else 0.0


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Return the options that every bench has."""
    parser = argparse.ArgumentParser(description=about)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="a short run, for CI")
    size.add_argument("--full", action="store_true", help="the size of the promise (the default)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser
