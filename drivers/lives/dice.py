"""Random numbers for the simulated lives: a few distributions, the same on every machine.

Only `Random.random()` is used, whose sequence Python promises to keep. Results of the C library's
logarithm are rounded to six digits, because its last bit differs between machines.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import cos, exp, log, pi, sqrt
from random import Random
from typing import TypeVar

T = TypeVar("T")
DIGITS = 6


class Dice:
    """One stream of random numbers, named by its seed: the same seed, the same numbers."""

    def __init__(self, *seed: object) -> None:
        self.roll = Random("/".join(map(str, seed))).random  # noqa: S311 - no secret is made here

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.roll() < probability

    def between(self, low: float, high: float) -> float:
        """Draw evenly between two numbers."""
        return low + (high - low) * self.roll()

    def wait(self, mean: float) -> float:
        """Draw an exponential waiting time, in the unit of its mean."""
        return round(-mean * log(1.0 - self.roll()), DIGITS)

    def normal(self, mean: float, deviation: float) -> float:
        """Draw from the normal distribution (Box and Muller, 1958)."""
        radius = sqrt(-2.0 * log(1.0 - self.roll()))
        return round(mean + deviation * radius * cos(2.0 * pi * self.roll()), DIGITS)

    def long(self, median: float, spread: float) -> float:
        """Draw a log-normal length: `spread` is the deviation of its logarithm."""
        return round(median * exp(self.normal(0.0, spread)), DIGITS)

    def count(self, mean: float) -> int:
        """Draw a Poisson count."""
        total, drawn = self.wait(1.0), 0
        while total < mean:
            total += self.wait(1.0)
            drawn += 1
        return drawn

    def pick(self, weights: Mapping[str, float]) -> str:
        """Pick one name, each as likely as its weight."""
        left = self.roll() * sum(weights.values())
        name = ""
        for name, weight in weights.items():  # noqa: B007 - the last one stays picked
            left -= weight
            if left < 0:
                break
        return name

    def one_of(self, things: Sequence[T]) -> T:
        """Pick one thing, all alike."""
        return things[int(self.roll() * len(things))]

    def some(self, things: Iterable[T], probability: float) -> list[T]:
        """Keep each thing with this probability."""
        return [thing for thing in things if self.chance(probability)]
