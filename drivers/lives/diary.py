"""The diary of a simulated life: where the resident is at what time, and the front door.

The diary is the truth; `sensors.py` derives from it what is reported. Times are seconds since the
midnight at which the trace begins.
"""

from enum import StrEnum
from typing import NamedTuple

from drivers.lives.dice import Dice

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class State(StrEnum):
    """Where the resident really is; `visitor` means at home with company."""

    HOME = "home"
    ASLEEP = "asleep"
    AWAY = "away"
    BATHROOM = "bathroom"
    VISITOR = "visitor"


class Zone(StrEnum):
    """The places of a small home. The passage joins bedroom, bathroom and living room."""

    LIVING = "living"
    KITCHEN = "kitchen"
    BATHROOM = "bathroom"
    BEDROOM = "bedroom"
    PASSAGE = "passage"
    ENTRY = "entry"


class Act(NamedTuple):
    """One kind of activity.

    `minutes` is the median length and `spread` the deviation of its logarithm; `moves_h` are the
    movements an hour that a sensor may see, and `still` is how much that varies from one occasion
    to the next (deviation of the logarithm).
    """

    zone: Zone
    minutes: float
    spread: float
    moves_h: float
    still: float
    fridge_h: float = 0.0
    state: State = State.HOME


ACTS = {
    "cook": Act(Zone.KITCHEN, 24, 0.45, 100, 0.3, fridge_h=7),
    "eat": Act(Zone.KITCHEN, 18, 0.4, 35, 0.5, fridge_h=1),
    "dishes": Act(Zone.KITCHEN, 9, 0.5, 110, 0.3, fridge_h=3),
    "snack": Act(Zone.KITCHEN, 5, 0.6, 80, 0.4, fridge_h=12),
    "tv": Act(Zone.LIVING, 40, 0.7, 11, 0.95),
    "tv-evening": Act(Zone.LIVING, 75, 0.6, 8, 1.2),
    "read": Act(Zone.LIVING, 35, 0.6, 7, 0.8),
    "phone": Act(Zone.LIVING, 10, 1.0, 15, 0.8),
    "rest": Act(Zone.BEDROOM, 25, 0.6, 7, 0.8),
    "potter": Act(Zone.LIVING, 12, 0.6, 75, 0.4),
    "chores": Act(Zone.LIVING, 22, 0.6, 105, 0.4),
    "tidy-bedroom": Act(Zone.BEDROOM, 10, 0.6, 75, 0.4),
    "laundry": Act(Zone.BATHROOM, 14, 0.5, 80, 0.4, state=State.BATHROOM),
    "exercise": Act(Zone.LIVING, 20, 0.4, 130, 0.3),
    "doze": Act(Zone.LIVING, 40, 0.7, 1.8, 1.0, state=State.ASLEEP),
    "nap": Act(Zone.BEDROOM, 75, 0.5, 1.0, 1.0, state=State.ASLEEP),
    "lie": Act(Zone.BEDROOM, 60, 0.6, 3, 0.9),
    "wash": Act(Zone.BATHROOM, 12, 0.45, 65, 0.4, state=State.BATHROOM),
    "toilet": Act(Zone.BATHROOM, 5, 0.55, 45, 0.5, state=State.BATHROOM),
    "bath": Act(Zone.BATHROOM, 35, 0.5, 22, 0.7, state=State.BATHROOM),
    "talk": Act(Zone.LIVING, 35, 0.5, 35, 0.5),
    "set-table": Act(Zone.KITCHEN, 20, 0.4, 90, 0.3, fridge_h=8),
}
LONGEST_MIN = {"nap": 190.0, "doze": 180.0, "bath": 80.0, "toilet": 35.0, "phone": 130.0}
LONGEST_USUAL_MIN = 200.0

BY_DAY = {
    "tv": 2.2, "read": 0.8, "phone": 0.6, "rest": 0.7, "potter": 2.4, "chores": 1.6,
    "tidy-bedroom": 0.7, "laundry": 0.3, "snack": 1.0, "exercise": 0.4, "doze": 0.25,
}  # fmt: skip
BY_EVENING = {
    "tv-evening": 5.0, "read": 0.8, "phone": 0.8, "potter": 1.2, "snack": 0.8, "doze": 0.5,
    "rest": 0.3,
}  # fmt: skip
WHEN_ILL = {"lie": 5.0, "nap": 2.5, "tv": 0.4, "snack": 0.5, "phone": 0.2}
WITH_COMPANY = {"talk": 5.0, "set-table": 1.0, "eat": 1.0, "tv": 1.2, "potter": 0.8}
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
    """A diary, written in the order of time; `now` is the end of what has been written."""

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
        """Return what has been written since the last call, and remove it."""
        written = self._stays, self._openings
        self._stays, self._openings = [], []
        return written

    def stay(self, until: float, state: State, zone: Zone, moves_h: float = 0.0) -> None:
        """Write a stay that ends at `until`; write nothing when that is past."""
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
        """Get ready, leave, and return at `until`; `twice`: first return for a forgotten thing."""
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
