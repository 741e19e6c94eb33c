"""False-alarm rates by home, sensor and rule, from the outcomes that operators chose. Pure.

A rate is false alarms per home and 30 days; a new home counts for the days that it was known.
Planned tests do not count: calls of `Kind.TEST`, and test presses that an operator announced.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from center.domain.incident import Outcome
from center.domain.times import DAY_S
from hub.contract.scaip import Kind

MONTH_DAYS = 30.0
LEAST_DAYS = 7.0
WINDOWS = (30, 90)  # days to choose from
CAUSES = tuple(outcome for outcome in Outcome if outcome.is_false_alarm)


class By(StrEnum):
    """What a rate is of."""

    ALL = "all"
    HOME = "home"
    SENSOR = "sensor"
    RULE = "rule"


class Alarm(Struct, frozen=True):
    """The part of an incident that counts here; `outcome` is None while it is open."""

    hub: str
    device: str
    kind: Kind
    outcome: Outcome | None


class Rate(Struct, frozen=True):
    """Alarms of one home, sensor (`hub` and `device`) or rule (`kind`), and the false among them.

    `share` is of the closed ones, 0 to 1, and None where none is closed; `per_30_days` is None
    where a home was known for less than a week, which says nothing of a month.
    """

    by: By
    hub: str
    device: str
    kind: Kind | None
    alarms: int
    closed: int
    false: int
    home_days: float
    per_30_days: float | None
    share: float | None
    causes: dict[Outcome, int]


class Rates(Struct, frozen=True):
    """All rates of a window of `days`; each list has the most false alarms first."""

    days: int
    total: Rate
    homes: tuple[Rate, ...]
    sensors: tuple[Rate, ...]
    rules: tuple[Rate, ...]


Key = tuple[str, str, Kind | None]


def rates(alarms: Iterable[Alarm], first_utc: Mapping[str, float], now: float, days: int) -> Rates:
    """Return the rates of the last `days`; `first_utc` has since when each home is known."""
    counted = [alarm for alarm in alarms if alarm.kind is not Kind.TEST]
    known = {hub: min(days, max(1.0, (now - since) / DAY_S)) for hub, since in first_utc.items()}
    known |= {alarm.hub: float(days) for alarm in counted if alarm.hub not in known}
    everywhere = sum(known.values())

    def grouped(by: By, key: Callable[[Alarm], Key]) -> tuple[Rate, ...]:
        groups: dict[Key, list[Alarm]] = {}
        for alarm in counted:
            groups.setdefault(key(alarm), []).append(alarm)
        made = [
            _rate(by, name, some, known[name[0]] if name[0] else everywhere)
            for name, some in groups.items()
        ]
        return tuple(sorted(made, key=_worst_first))

    return Rates(
        days,
        _rate(By.ALL, ("", "", None), counted, everywhere),
        grouped(By.HOME, lambda alarm: (alarm.hub, "", None)),
        grouped(By.SENSOR, lambda alarm: (alarm.hub, alarm.device, None)),
        grouped(By.RULE, lambda alarm: ("", "", alarm.kind)),
    )


def _rate(by: By, name: Key, alarms: list[Alarm], home_days: float) -> Rate:
    closed = [alarm.outcome for alarm in alarms if alarm.outcome is not None]
    false = [outcome for outcome in closed if outcome.is_false_alarm]
    hub, device, kind = name
    return Rate(
        by=by,
        hub=hub,
        device=device,
        kind=kind,
        alarms=len(alarms),
        closed=len(closed),
        false=len(false),
        home_days=round(home_days, 1),
        per_30_days=(
            round(len(false) / home_days * MONTH_DAYS, 3) if home_days >= LEAST_DAYS else None
        ),
        share=round(len(false) / len(closed), 3) if closed else None,
        causes={cause: false.count(cause) for cause in CAUSES if cause in false},
    )


def _worst_first(rate: Rate) -> tuple[float, int, str, str, str]:
    return (
        -rate.false / max(1.0, rate.home_days),
        -rate.alarms,
        rate.hub,
        rate.device,
        rate.kind or "",
    )
