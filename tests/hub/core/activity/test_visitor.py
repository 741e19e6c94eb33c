"""A visitor whom the resident has announced: shown; the hub learns nothing and waits for nobody."""

from collections.abc import Callable
from copy import copy

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Activity, AnsweredBy, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning
from hub.core.activity import habits, presence
from hub.core.model.activity import NEVER, Habits
from hub.core.model.effects import Ask, Effect, Publish
from hub.core.model.events import Answered, ContactChanged, Event
from hub.core.model.state import HomeState
from tests.hub.core.house_scenes import (
    BATH,
    DAY,
    FRONT,
    HOUR,
    KITCHEN,
    LIVING,
    RULES,
    Lived,
    day_long,
    settled,
)
from tests.hub.core.scenes import HELP

AWAY, HOME, ASLEEP = PresenceKind.AWAY, PresenceKind.HOME, PresenceKind.ASLEEP
VISITOR = PresenceKind.VISITOR
DAY_15 = 14 * 24.0  # the first hour of the day after a fortnight
NOON = DAY_15 + 12.0
LONG = replace(RULES, quiet=replace(RULES.quiet, visitor_s=40 * HOUR))


def says(home: Lived, meaning: Meaning, asked: str = "") -> Lived:
    return home.take(Answered(home.at + 1.0, meaning, asked=asked))


def shown(home: Lived) -> PresenceKind:
    return presence.as_told(home.state.house, home.at)


def visited(hour: float = 10.0) -> Lived:
    """A home with somebody in the kitchen, and a visitor from `hour` on."""
    home = Lived().move(KITCHEN, hour - 0.1).move(LIVING, hour - 0.05).move(KITCHEN, hour)
    return says(home, Meaning.VISITOR)


def pages(home: Lived) -> list[PresenceKind]:
    told = [e for e in home.effects if isinstance(e, Publish) and e.topic.endswith("/activity")]
    found = [wire.decode_from_hub(e.topic, e.payload)[1] for e in told]
    return [page.presence for page in found if isinstance(page, Activity)]


def test_who_tells_of_a_visitor_has_one_until_they_have_gone() -> None:
    home = visited()
    assert (shown(home), home.kind) == (VISITOR, HOME), "whoever is at home stays so to the rules"
    assert shown(says(home, Meaning.ALONE)) is HOME
    until = home.state.house.visitor_until
    assert says(home, Meaning.ALONE).state.house.visitor_until == until, "long gone"


def test_a_visit_is_over_at_its_limit_unless_it_is_told_of_anew() -> None:
    home = visited()
    limit_s = RULES.quiet.visitor_s
    assert shown(home.move(KITCHEN, 10.0 + limit_s / HOUR)) is VISITOR
    assert shown(says(copy(home), Meaning.VISITOR).move(KITCHEN, 10.1 + limit_s / HOUR)) is VISITOR
    assert shown(home.move(KITCHEN, 10.1 + limit_s / HOUR)) is HOME


def test_the_hours_page_tells_of_a_visitor() -> None:
    home = says(visited().until(12.2), Meaning.ALONE).until(13.1)
    assert pages(home)[-3:] == [VISITOR, VISITOR, HOME]


def test_who_goes_out_has_no_visitor() -> None:
    home = says(visited(), Meaning.AWAY)
    assert shown(says(home, Meaning.HOME)) is HOME
    home = visited().door(10.1).until(10.3)
    assert home.kind is AWAY
    assert shown(home.door(10.4).move(KITCHEN, 10.41)) is HOME


def test_who_falls_asleep_or_calls_has_no_visitor() -> None:
    home = says(settled().move(KITCHEN, DAY_15 + 1.0), Meaning.VISITOR)
    assert home.until(DAY_15 + 2.5).kind is ASLEEP
    assert shown(home.move(KITCHEN, DAY_15 + 2.6)) is HOME
    home = visited()
    for closed in (True, False):
        home.take(ContactChanged(home.at + 1.0, HELP, closed)).until((home.at + 2.0) / HOUR)
    assert home.kinds == [Kind.HELP_BUTTON]
    assert shown(home) is HOME


def test_nobody_visits_who_is_not_at_home() -> None:
    """The words may come from a television, even in an empty house."""
    home = visited().door(10.1).until(10.3)
    assert shown(says(home, Meaning.VISITOR)) is AWAY
    assert says(Lived(), Meaning.VISITOR).state.house.visitor_until == NEVER


@pytest.mark.parametrize("meaning", [Meaning.VISITOR, Meaning.ALONE])
def test_neither_word_is_a_sign_of_life(meaning: Meaning) -> None:
    home = settled().live(14, day_long(till=12.0))
    while home.state.warning is None:
        home.until((home.at + 60.0) / HOUR)
    before = home.state
    says(home, meaning)
    assert home.state.warning == before.warning
    assert replace(home.state.house, visitor_until=NEVER) == before.house
    says(home, meaning, asked="warn_quiet")
    assert home.until(home.at / HOUR + 0.2).kinds == [Kind.QUIET]


def test_a_call_that_is_asked_about_is_not_taken_back_by_a_visitor() -> None:
    home = says(says(visited(), Meaning.HELP), Meaning.VISITOR)
    assert home.kinds == [], "it is no answer"
    assert home.until(home.at / HOUR + 0.1).kinds == [Kind.SPOKEN]
    home = says(says(visited(), Meaning.HELP), Meaning.VISITOR, asked="ask_help")
    assert home.kinds == [Kind.SPOKEN], "whatever is no clear no, calls"


def test_nobody_has_said_anything() -> None:
    home = visited()
    home.take(Answered(home.at + 1.0, Meaning.ALONE, AnsweredBy.NOBODY))
    assert shown(home) is VISITOR


class Twin(Lived):
    """A home in which nothing is learned from `frozen` on, while the days go on."""

    def __init__(self, base: Lived, *, frozen: bool) -> None:
        self.rules, self.state, self.at = LONG, base.state, base.at
        self._began, self.effects = 0.0, list[Effect]()
        self.frozen, self.told = frozen, list[tuple[float, object]]()

    def _decide(self, event: Event) -> "Twin":
        before, n = self.state, len(self.effects)
        super()._decide(event)
        self.told += [(event.at, e) for e in self.effects[n:] if isinstance(e, Ask)]
        if self.frozen and self.state.habits is not before.habits:
            self.state = replace(self.state, habits=_turned(self.state, before, event.at))
        return self


def _turned(state: HomeState, before: HomeState, at: float) -> Habits:
    clock = state.clock
    return habits.begin_day(before.habits, at + clock.offset_s + clock.zone_s, LONG.quiet)


def both(base: Lived, scene: Callable[[Lived], object]) -> tuple[Twin, Twin]:
    """Run it twice: with a visitor, and without one but with learning switched off."""
    declared, plain = Twin(base, frozen=False), Twin(base, frozen=True)
    says(declared, Meaning.VISITOR)
    for home in (declared, plain):
        scene(home)
    return declared, plain


def falls(home: Lived) -> None:
    home.move(KITCHEN, NOON + 0.4).move(LIVING, NOON + 0.8).until(NOON + 7.0)


def lies_in_the_bathroom(home: Lived) -> None:
    for n in range(20):
        home.move(BATH, NOON + 0.1 + n / 10)


def leaves_the_door_open(home: Lived) -> None:
    home.take(ContactChanged(home.at, FRONT, closed=True)).until(NOON + 0.3)
    home.take(ContactChanged(home.at, FRONT, closed=False)).move(LIVING, NOON + 0.4)
    home.until(NOON + 1.9)


def wanders(home: Lived) -> None:
    for n in range(50):
        home.move((KITCHEN, LIVING)[n % 2], DAY_15 + 24.1 + n / 12)


def shows_no_life(home: Lived) -> None:
    home.until(NOON + 30.0)


def bustles(home: Lived) -> None:
    for n in range(60):
        home.move((KITCHEN, BATH, LIVING)[n % 3], NOON + 0.1 + n * n / 120)


SCENES = (falls, lies_in_the_bathroom, leaves_the_door_open, wanders, shows_no_life)


@pytest.mark.parametrize("scene", SCENES)
def test_a_visitor_makes_no_warning_or_alarm_later(scene: Callable[[Lived], object]) -> None:
    declared, plain = both(settled().move(LIVING, NOON), scene)
    assert declared.told == plain.told != []
    assert [(a.kind, a.at) for a in declared.alarms] == [(a.kind, a.at) for a in plain.alarms]
    house = replace(declared.state.house, visitor_until=NEVER)
    assert house == plain.state.house


def test_what_happens_with_a_visitor_teaches_nothing_but_the_days_turn() -> None:
    base = settled().move(LIVING, NOON)
    declared, plain = both(base, bustles)
    assert declared.state.habits == plain.state.habits
    assert declared.state.habits.days == base.state.habits.days + 1
    taught = Twin(base, frozen=False)
    bustles(taught)
    assert taught.state.habits.longest != plain.state.habits.longest
    for home in (declared, plain):
        says(home, Meaning.ALONE).move(KITCHEN, home.at / HOUR + 0.1)
    plain.frozen = False
    for home in (declared, plain):
        home.live(16, [8.0 + n / 3 for n in range(30)])
    assert declared.state.habits == plain.state.habits, "and then it learns as ever"
    assert declared.state.habits.spans != base.state.habits.spans


def longest(home: Lived) -> dict[str, float]:
    return home.state.habits.longest


def test_an_open_door_and_an_absence_out_of_a_visit_teach_nothing() -> None:
    base = settled().move(LIVING, NOON)
    for n, closed in enumerate((True, False)):
        base.take(ContactChanged(base.at + 9.0 * n, FRONT, closed))
    plain, home = copy(base), says(copy(base), Meaning.VISITOR)
    for one in (plain, home):
        one.move(LIVING, NOON + 0.3)
        one.take(ContactChanged(NOON * HOUR + 0.4 * HOUR, FRONT, closed=True)).until(NOON + 0.6)
        assert one.kind is AWAY
        one.until(NOON + 5.0).take(ContactChanged(one.at, FRONT, closed=False))
    assert longest(home) == longest(base)
    assert longest(plain)["door"] > longest(base)["door"]
    assert longest(plain)["absence"] > 4 * HOUR


def test_a_night_with_a_visitor_in_it_is_no_measure_of_nights() -> None:
    night = DAY_15 + 24.0
    base = settled().move(LIVING, NOON)
    plain, home = copy(base), copy(base)
    for one in (plain, home):
        one.live(15, [0.1 + n / 12 for n in range(10)])
    says(home, Meaning.VISITOR)
    says(home.move(LIVING, night + 1.0), Meaning.ALONE)
    for one in (plain, home):
        one.live(15, [4.0, 7.0])
    assert longest(plain)["wandering"] > longest(base)["wandering"] > longest(home)["wandering"]


def test_a_visit_outlives_a_restart_and_a_state_that_knows_of_none_is_read() -> None:
    home = visited().until(10.5)
    left_s = home.state.house.visitor_until - home.at
    home.start(10.6)
    assert home.state.house.visitor_until == pytest.approx(left_s, abs=900.0)
    assert home.state.house.visitor_until - home.state.house.active_at > 2 * HOUR
    old = msgspec.to_builtins(visited().state)
    del old["house"]["visitor_until"]
    assert msgspec.convert(old, HomeState).house.visitor_until == NEVER
    assert visited().state.house.visitor_until < DAY
