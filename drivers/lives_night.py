"""The nights of a simulated life: falling asleep, the bathroom, the kitchen, lying awake."""

from drivers.lives.diary import Diary
from drivers.lives.dice import Dice
from drivers.lives_acts import HOUR, MINUTE, State, Zone
from drivers.lives_profiles import Habits

LEAST_SLEEP_H = 3.5
IN_BED_MOVES_H = 9.0
ASLEEP_MOVES_H = 1.6  # turning over; few bedrooms have a sensor that sees it


def night(diary: Diary, habits: Habits, wake: float, dice: Dice) -> None:
    """Go to bed now and get up at about `wake`; later after a very late evening."""
    until = max(wake, diary.now + LEAST_SLEEP_H * HOUR)
    diary.do("wash", factor=0.6)
    diary.stay(diary.now + dice.between(2, 12) * MINUTE, State.HOME, Zone.BEDROOM, 60)
    if dice.chance(habits.sleepless):
        _toss(diary, min(until - HOUR, diary.now + dice.between(1.0, 3.5) * HOUR), dice)
    else:
        _lie_awake(diary, diary.now + min(dice.long(15, 0.7), 120) * MINUTE, habits)
    visits = dice.count(habits.night_visits)
    calls = sorted(dice.between(diary.now + 30 * MINUTE, until) for _ in range(visits))
    for call in calls:
        if diary.now + 20 * MINUTE < call < until - 20 * MINUTE:
            _sleep(diary, call, habits)
            _get_up(diary, habits, until, dice)
    _sleep(diary, until, habits)
    _lie_awake(diary, diary.now + min(dice.long(7, 0.8), 60) * MINUTE, habits)


def _sleep(diary: Diary, until: float, habits: Habits) -> None:
    diary.stay(until, State.ASLEEP, Zone.BEDROOM, ASLEEP_MOVES_H * habits.bustle)


def _lie_awake(diary: Diary, until: float, habits: Habits) -> None:
    diary.stay(until, State.HOME, Zone.BEDROOM, IN_BED_MOVES_H * habits.bustle)


def _get_up(diary: Diary, habits: Habits, until: float, dice: Dice) -> None:
    diary.do("toilet", factor=0.9)
    if dice.chance(0.1 + habits.insomnia / 2):
        diary.do("snack", factor=0.8)
    if dice.chance(habits.insomnia):
        _toss(diary, min(until - 15 * MINUTE, diary.now + dice.long(35, 0.7) * MINUTE), dice)
    else:
        _lie_awake(diary, diary.now + dice.long(6, 0.8) * MINUTE, habits)


def _toss(diary: Diary, until: float, dice: Dice) -> None:
    """Be sleepless: in bed, at the TV, in the kitchen."""
    while diary.now < until:
        what = dice.pick({"rest": 4.0, "tv": 3.0, "snack": 1.0, "toilet": 1.0})
        diary.do(what, until)
