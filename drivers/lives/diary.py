"""The diary of a simulated life: where the resident is from when to when, and the front door.

It is the truth; what the sensors make of it is in `lives_sensors.py`. Times are seconds since
the midnight that begins the trace.
"""

from typing import NamedTuple

from drivers.lives.dice import Dice
from drivers.lives_acts import ACTS, HOUR, LONGEST_MIN, LONGEST_USUAL_MIN, MINUTE, Act, State, Zone

TOILET_AFTER_H, TOILET_SPREAD = 2.8, 0.45


class Stay(NamedTuple):
    """The resident in one place for a while. `company` counts the guests in the home."""

    start: float
    end: float
    state: State
    zone: Zone
    moves_h: float
    fridge_h: float
    company: int


class Opening(NamedTuple):
    """The front door stands open for a while."""

    at: float
    open_s: float


class Diary:
    """Written in the order of time; `now` is the end of what has been written."""

    def __init__(self, dice: Dice, bustle: float) -> None:
        self.now = 0.0
        self.zone = Zone.BEDROOM
        self.company = 0
        self.toilet_due = 0.0
        self._dice = dice
        self._bustle = bustle
        self._stays: list[Stay] = []
        self._openings: list[Opening] = []

    def tear_out(self) -> tuple[list[Stay], list[Opening]]:
        """Give what has been written since the last time, and forget it."""
        written = self._stays, self._openings
        self._stays, self._openings = [], []
        return written

    def stay(self, until: float, state: State, zone: Zone, moves_h: float = 0.0) -> None:
        """Write a stay that ends at `until`; nothing when that is past."""
        self._write(until, Act(zone, 0, 0, moves_h, 0, state=state))

    def do(self, name: str, until: float | None = None, factor: float = 1.0) -> None:
        """Do an activity for its usual time times `factor`, but not beyond `until`."""
        act = ACTS[name]
        longest = LONGEST_MIN.get(name, LONGEST_USUAL_MIN)
        minutes = min(self._dice.long(act.minutes, act.spread) * factor, longest)
        end = self.now + max(minutes, 1.0) * MINUTE
        if until is not None:
            end = min(end, until)
        if act.state is State.ASLEEP:
            settled = min(end, self.now + self._dice.between(3, 12) * MINUTE)
            self.stay(settled, State.HOME, act.zone, 20)
        moves_h = act.moves_h * self._bustle * self._dice.long(1.0, act.still)
        self._write(end, act._replace(moves_h=moves_h))
        if act.zone is Zone.BATHROOM:
            self.toilet_due = self.now + self._dice.long(TOILET_AFTER_H, TOILET_SPREAD) * HOUR

    def go_out(self, until: float, *, twice: bool = False) -> None:
        """Get ready, leave, be back at `until`; `twice`: first return for a forgotten thing."""
        self.stay(self.now + self._dice.between(0.5, 4) * MINUTE, State.HOME, Zone.ENTRY, 100)
        if twice:
            self._leave(self.now + self._dice.long(55, 0.7))
            zone = self._dice.one_of((Zone.LIVING, Zone.BEDROOM, Zone.KITCHEN, Zone.ENTRY))
            self.stay(self.now + self._dice.long(70, 0.6), State.HOME, zone, 160)
            self.stay(self.now + self._dice.between(5, 25), State.HOME, Zone.ENTRY, 160)
        self._leave(max(until, self.now + MINUTE))
        self.stay(self.now + self._dice.between(15, 120), State.HOME, Zone.ENTRY, 150)

    def carry_out(self, open_all_the_while: bool) -> None:  # noqa: FBT001 - a habit, not a mode
        """Take the rubbish down and come back in some minutes."""
        self.stay(self.now + self._dice.between(20, 90), State.HOME, Zone.ENTRY, 150)
        away_s = max(40.0, min(self._dice.long(170, 0.6), 1200.0))
        if not open_all_the_while:
            self._leave(self.now + away_s)
            self.stay(self.now + self._dice.between(10, 60), State.HOME, Zone.ENTRY, 150)
            return
        step_s, shut_s = self._dice.between(3, 10), self._dice.between(3, 12)
        self._openings.append(Opening(self.now, step_s + away_s + shut_s))
        self.stay(self.now + step_s, State.HOME, Zone.ENTRY, 600)
        self.stay(self.now + away_s, State.AWAY, Zone.ENTRY)
        self.stay(self.now + shut_s + self._dice.between(5, 40), State.HOME, Zone.ENTRY, 300)

    def answer_door(self, open_s: float) -> None:
        """Go to the door, open it for someone, and shut it."""
        self.stay(self.now + self._dice.between(8, 40), State.HOME, Zone.ENTRY, 200)
        self._openings.append(Opening(self.now, open_s))
        self.stay(self.now + open_s + self._dice.between(3, 20), State.HOME, Zone.ENTRY, 120)

    def _leave(self, until: float) -> None:
        open_s = self._dice.long(9, 0.5)
        self._openings.append(Opening(self.now, open_s))
        self.stay(self.now + open_s, State.HOME, Zone.ENTRY, 500)
        back = max(until, self.now + 15)
        self.stay(back, State.AWAY, Zone.ENTRY)
        self._openings.append(Opening(self.now, self._dice.long(10, 0.5)))

    def _write(self, until: float, act: Act) -> None:
        if until <= self.now:
            return
        company = 0 if act.state is State.AWAY else self.company
        awake = act.state in {State.HOME, State.BATHROOM}
        state = State.VISITOR if company and awake else act.state
        stay = Stay(self.now, until, state, act.zone, act.moves_h, act.fridge_h, company)
        self._stays.append(stay)
        self.now, self.zone = until, act.zone
