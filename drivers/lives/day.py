"""The days and nights of a simulated life: an agenda with jitter, and activities between its tasks.

What fills the time between the tasks is a semi-Markov choice. `live` writes the diary of all days.
"""

from collections.abc import Iterator, Mapping

from drivers.lives.agenda import Deed, Task, agenda
from drivers.lives.diary import (
    BY_DAY,
    BY_EVENING,
    DAY,
    HOUR,
    MINUTE,
    WHEN_ILL,
    WITH_COMPANY,
    Diary,
    Opening,
    State,
    Stay,
    Zone,
)
from drivers.lives.dice import Dice
from drivers.lives.home import Habits
from drivers.lives.year import Year

EVENING = 0.7  # of the time between getting up and going to bed
TOO_LATE_S = 1.5 * HOUR  # a meal that is later is missed
NEVER_DROPPED = {Deed.TRIP, Deed.GUESTS, Deed.FAREWELL}
LEAST_SLEEP_H = 3.5
IN_BED_MOVES_H = 9.0
ASLEEP_MOVES_H = 1.6  # turning over; few bedrooms have a sensor that sees it


def live(year: Year, days: int) -> Iterator[tuple[list[Stay], list[Opening]]]:
    """Yield the diary, day by day, from the day before the trace to its end."""
    person = year.person
    diary = Diary(Dice(person.name, "diary", year.date_of(0)), person.habits.bustle)
    diary.now = year.wake(-1)
    diary.toilet_due = diary.now + HOUR
    while diary.now < days * DAY:
        day = year.day_at(diary.now)
        dice = year.dice(day, "day")
        bed = _bedtime(year, day, dice)
        _live_until(bed, year, day, diary, dice)
        if diary.now < year.wake(day + 1):
            night(diary, person.habits, year.wake(day + 1), dice)
        yield diary.tear_out()


def _bedtime(year: Year, day: int, dice: Dice) -> float:
    """Return the time to go to bed, counted back from tomorrow's waking; some evenings are long."""
    habits = year.person.habits
    sleep_h = habits.sleep_h + dice.normal(0, 0.45)
    if dice.chance(0.03):
        sleep_h -= dice.between(0.8, 2.0)
    return year.wake(day + 1) - max(sleep_h + 0.4, 4.0) * HOUR


def _live_until(bed: float, year: Year, day: int, diary: Diary, dice: Dice) -> None:
    plans = agenda(year, day, bed, dice)
    tasks = [task for task in plans if task.at >= diary.now or task.deed is Deed.FAREWELL]
    if not year.feast(day):
        diary.company = 0  # guests leave even if the farewell was missed
    wake = year.wake(day)
    while diary.now < bed:
        while tasks and _is_dropped(tasks[0], diary.now):
            tasks.pop(0)
        if tasks and tasks[0].at <= diary.now + 90:
            _perform(tasks.pop(0), bed, year, diary, dice)
        elif diary.toilet_due <= diary.now + MINUTE:
            diary.do("toilet")
        else:
            until = min(tasks[0].at if tasks else bed, bed)
            evening = diary.now > wake + EVENING * (bed - wake)
            menu = _menu(year, day, diary, evening=evening)
            _fill(menu, until, diary, dice)


def _is_dropped(task: Task, now: float) -> bool:
    late_s = now - task.at
    if task.deed is Deed.RITE:
        return late_s > task.size / 2
    return late_s > TOO_LATE_S and task.deed not in NEVER_DROPPED


def _menu(year: Year, day: int, diary: Diary, *, evening: bool) -> Mapping[str, float]:
    habits = year.person.habits
    if diary.company:
        return WITH_COMPANY
    if year.is_ill(day):
        return WHEN_ILL
    menu = dict(BY_EVENING if evening else BY_DAY)
    for name in ("tv", "tv-evening"):
        if name in menu:
            menu[name] *= habits.tv
    menu["doze"] *= habits.doze
    return menu


def _fill(menu: Mapping[str, float], until: float, diary: Diary, dice: Dice) -> None:
    """Do one activity until it is done or something else is due; sometimes for longer."""
    limit = until if dice.chance(0.15) else min(until, max(diary.toilet_due, diary.now + 90))
    diary.do(dice.pick(menu), limit)


def _perform(task: Task, bed: float, year: Year, diary: Diary, dice: Dice) -> None:
    forgets = year.person.habits.forgets
    match task.deed:
        case Deed.DO:
            diary.do(task.what, factor=task.size)
        case Deed.OUT:
            latest = max(bed - 20 * MINUTE, diary.now + 10 * MINUTE)
            until = diary.now + task.size
            diary.go_out(
                until if dice.chance(0.03) else min(until, latest), twice=dice.chance(forgets)
            )
        case Deed.RITE:
            diary.go_out(task.at + task.size, twice=dice.chance(forgets))
        case Deed.TRIP:
            diary.go_out(task.at + task.size, twice=dice.chance(0.2))
            diary.company = 0
        case Deed.RUBBISH:
            diary.carry_out(dice.chance(0.5))
        case Deed.DELIVERY:
            diary.answer_door(min(dice.long(18, 0.7), 240))
        case Deed.VISIT:
            _receive(task, bed, diary, dice)
        case Deed.GUESTS | Deed.FAREWELL:
            _host(task, diary, dice)


def _host(task: Task, diary: Diary, dice: Dice) -> None:
    """Begin a visit of guests who stay for days, or end it if they are still here."""
    if task.deed is Deed.GUESTS:
        diary.answer_door(dice.between(15, 90))
        diary.company = dice.one_of((1, 2, 3, 4))
    elif diary.company:
        diary.company = 0
        diary.answer_door(dice.between(20, 180))


def _receive(task: Task, bed: float, diary: Diary, dice: Dice) -> None:
    """Simulate guests until they leave, at the latest before bedtime."""
    staying = diary.company
    diary.answer_door(dice.between(8, 60))
    diary.company = staying + dice.one_of((1, 1, 1, 2, 3))
    end = min(diary.now + task.size, max(bed - 0.5 * HOUR, diary.now + 10 * MINUTE))
    while diary.now < end - MINUTE:
        if diary.toilet_due < diary.now:
            diary.do("toilet", end)
        else:
            _fill(WITH_COMPANY, end, diary, dice)
    diary.stay(diary.now + dice.between(20, 120), State.HOME, Zone.ENTRY, 150)
    diary.company = staying
    diary.answer_door(dice.between(8, 90))


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
    """Stay awake: in bed, at the TV, in the kitchen."""
    while diary.now < until:
        what = dice.pick({"rest": 4.0, "tv": 3.0, "snack": 1.0, "toilet": 1.0})
        diary.do(what, until)
