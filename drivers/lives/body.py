"""What comes from the resident directly: heart rates, answers to the daily check-in, presses."""

from collections.abc import Iterator
from typing import NamedTuple

from drivers.lives.diary import DAY, HOUR, State, Stay
from drivers.lives.dice import Dice
from drivers.lives.home import Person

ANSWERS = 0.9
PRESSES_DAY = 0.15  # of the info button
OUT_OF_RANGE = 0.06  # of a wearable's readings indoors
BPM_ASLEEP, BPM_A_MOVE, BPM_MOST = -7.0, 0.18, 22.0


class Edge(NamedTuple):
    """What a sensor reports, `at` seconds into the trace; `value` is 1, 0, or beats a minute."""

    at: float
    device: str
    kind: str
    value: int


class Body:
    """The resident's wearable, answers and presses."""

    def __init__(self, person: Person, seed: object) -> None:
        self._home = person.home
        self._resting_bpm = person.resting_bpm
        self._dice = Dice(person.name, "body", seed)
        self._heart_due = 0.0

    def report(self, stay: Stay) -> Iterator[Edge]:
        """Yield the edges of one stay, not in order."""
        if stay.state is State.AWAY:
            return
        yield from self._heart(stay)
        if stay.state is not State.ASLEEP:
            yield from self._answers(stay)
            yield from self._presses(stay)

    def _heart(self, stay: Stay) -> Iterator[Edge]:
        if not self._home.wearable_s:
            return
        at = max(self._heart_due, stay.start)
        calm = (
            BPM_ASLEEP if stay.state is State.ASLEEP else min(stay.moves_h * BPM_A_MOVE, BPM_MOST)
        )
        while at < stay.end:
            if not self._dice.chance(OUT_OF_RANGE):
                bpm = self._dice.normal(self._resting_bpm + calm, 4.0)
                yield Edge(at, "wearable", "heart_rate", round(max(bpm, 42.0)))
            at += self._home.wearable_s * self._dice.between(0.97, 1.03)
        self._heart_due = at

    def _answers(self, stay: Stay) -> Iterator[Edge]:
        asked = stay.start // DAY * DAY + self._home.asked_h * HOUR
        if self._home.asked_h and stay.start <= asked < stay.end and self._dice.chance(ANSWERS):
            yield Edge(asked + self._dice.long(9, 0.5), "voice", "answer", 1)

    def _presses(self, stay: Stay) -> Iterator[Edge]:
        length = stay.end - stay.start
        if self._dice.chance(PRESSES_DAY * length / DAY):
            at = self._dice.between(stay.start, stay.end)
            yield Edge(at, "info", "press", 1)
            yield Edge(at + self._dice.between(0.15, 0.9), "info", "press", 0)
