"""The lamp's table: how each signal looks and sounds to a person."""

import math

from drivers.lamp import OFF, ON, TABLE, Look, Pattern, level
from hub.core.model.effects import Signal
from tests.drivers.fakes import wanted

GREENS = {Signal.PRESENT, Signal.CLOSED, Signal.CANCELLED}


def test_every_signal_lights_one_lamp_of_its_colour() -> None:
    red = {Signal.RAISED, Signal.UNDELIVERED, Signal.RECEIVED, Signal.ACCEPTED}
    for signal in Signal:
        look = TABLE[signal]
        lit = [part for part in ("red", "green", "amber") if getattr(look, part) != OFF]
        amber = signal in {Signal.OFFLINE, Signal.FAULT, Signal.WARNING, Signal.UNCLAIMED}
        assert lit == ["red" if signal in red else "amber" if amber else "green"], signal


def test_meanings_differ_without_colour() -> None:
    rhythms = {s: next(p for p in (k.red, k.green, k.amber) if p != OFF) for s, k in TABLE.items()}
    others = [rhythm for signal, rhythm in rhythms.items() if signal not in GREENS]
    assert {rhythms[signal] for signal in GREENS}.isdisjoint(others)
    assert len(set(others)) == len(others)
    buzzes = [look.buzzer for look in TABLE.values() if look.buzzer != OFF]
    assert len(set(buzzes)) == len(buzzes)


def test_no_lamp_flashes_more_than_three_times_in_a_second() -> None:
    for look in TABLE.values():
        for pattern in (look.red, look.green, look.amber):
            starts = [at for at, lit in wanted(pattern, 20.0) if lit]
            for first in starts:
                assert sum(first <= at < first + 1 for at in starts) <= 3


def test_a_call_is_heard_and_a_local_fault_wakes_nobody() -> None:
    assert sum(TABLE[Signal.RAISED].buzzer.steps[::2]) >= 0.5
    for signal in (Signal.RESTING, Signal.FAULT, Signal.OFFLINE):
        assert TABLE[signal].buzzer == OFF


def test_the_level_of_a_pattern_at_any_moment() -> None:
    assert level(OFF, 3.0) == (False, math.inf)
    assert level(ON, 1e9) == (True, math.inf)
    assert level(Pattern((1.0, 2.0)), 0.25) == (True, 0.75)
    assert level(Pattern((1.0, 2.0)), 301.0) == (False, 2.0)
    assert level(Pattern((1.0, 2.0, 1.0), again=False), 3.5) == (True, 0.5)
    assert level(Pattern((1.0, 2.0, 1.0), again=False), 4.0) == (False, math.inf)
    assert Look() == Look(OFF, OFF, OFF, OFF)
