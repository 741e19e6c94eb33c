"""When a check-in falls due: by a clock that is right, once after an outage, never in the night."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.contract.times import last_of, left_of, name_of, next_of
from hub.contract.voice import Meaning, Phrase
from hub.core.checkin import checkin
from hub.core.decide import decide, recover
from hub.core.model.checkin import asking
from hub.core.model.effects import Ask
from hub.core.model.events import Heartbeat, Started, Ticked
from hub.core.model.rules import CareRules
from hub.core.model.state import HomeState
from tests.hub.core.care_scenes import (
    DAY,
    EIGHT,
    FINE,
    HOUR,
    MINUTE,
    MOOD,
    MOOD_SLOW,
    NINE,
    RULES,
    SIX,
    WAYS,
    YEAR,
    Wait,
    Way,
    care,
    result,
    said,
)

ways = pytest.mark.parametrize("way", WAYS)
HEALTH = Ask(Phrase.ASK_HEALTH)
NIGHT = replace(RULES, care=CareRules(times=("07:00", "22:30")))


def test_a_hub_that_is_new_makes_up_for_nothing() -> None:
    for utc in (EIGHT + NINE, EIGHT + NINE + HOUR):
        story = care(utc=utc)
        assert story >> Wait(10) << [] >> Wait(HOUR) << []


@ways
def test_the_evening_follows_the_morning(way: Way) -> None:
    story = care(way) >> Wait(NINE) << [MOOD]
    story = story >> said(NINE + 9, Meaning.FINE) << [result("fine"), FINE]
    assert story >> Wait(SIX - 200) << [] >> Wait(SIX) << [HEALTH]


def test_its_deadline_is_the_time_of_day() -> None:
    story = care() >> Wait(10) << []
    assert checkin.next_wake(story.state, RULES) == NINE


def test_without_a_clock_nobody_is_asked() -> None:
    story = care()
    story.beat(10, synced=False)
    assert story >> Wait(NINE) << [] >> Wait(SIX) << [] >> Wait(SIX + HOUR) << []
    assert checkin.next_wake(story.state, RULES) == story.state.care.look_at


def test_a_clock_that_comes_late_makes_up_for_one_and_only_the_last() -> None:
    story = care() >> Wait(10) << []
    story.beat(20, synced=False)
    story.beat(SIX + HOUR)
    story = story >> Wait(SIX + HOUR + 1) << [MOOD]
    late = result("fine")
    assert story >> said(SIX + HOUR + 9, Meaning.FINE) << [late, FINE]
    assert story >> Wait(SIX + 3 * HOUR) << []


@pytest.mark.parametrize("synced", [True, False])
def test_after_an_outage_of_days_there_is_one_check_in_not_five(synced: bool) -> None:  # noqa: FBT001
    story = care(rules=replace(RULES, care=CareRules(callout_s=14 * DAY))) >> Wait(10) << []
    at = 2 * DAY + SIX + 90 * MINUTE
    story.start(at, 9.0, synced=synced)
    if not synced:
        assert story >> Wait(at + 5) << []
        story.beat(at + 20)
    assert story >> Wait(at + 30) << [], "the voice may not be up yet"
    assert story >> Wait(at + 60) << [MOOD]
    visit = story.state.care.visit
    assert visit
    assert (visit.name, visit.due_utc) == ("2026-03-03-1800", EIGHT + 2 * DAY + SIX)
    assert story >> said(at + 69, Meaning.FINE) << [result("fine"), FINE]
    assert story >> Wait(3 * DAY + NINE - 1) << [] >> Wait(3 * DAY + NINE) << [HEALTH]


def test_what_is_older_than_two_hours_is_not_made_up_for() -> None:
    story = care() >> Wait(10) << []
    story.start(NINE + 2 * HOUR + 10, 9.0)
    assert story >> Wait(NINE + 2 * HOUR + 20) << [] >> Wait(SIX) << [MOOD]


def test_nobody_is_asked_in_the_night() -> None:
    story = care(rules=NIGHT, utc=EIGHT - 2 * HOUR) >> Wait(10) << []
    assert story >> Wait(HOUR) << []
    assert checkin.next_wake(story.state, NIGHT) == 2 * HOUR
    assert story >> Wait(2 * HOUR) << [MOOD]
    story = story >> said(2 * HOUR + 9, Meaning.FINE) << [result("fine"), FINE]
    assert story >> Wait(16.5 * HOUR) << [] >> Wait(18.5 * HOUR) << []
    assert story.state.care.visit is None


def test_without_quiet_hours_anybody_is_asked_at_any_time() -> None:
    rules = replace(NIGHT, care=replace(NIGHT.care, quiet_from="08:00"))
    story = care(rules=rules, utc=EIGHT - 2 * HOUR) >> Wait(10) << []
    assert story >> Wait(HOUR) << [MOOD]


@pytest.mark.parametrize("year", [YEAR, -YEAR])
@pytest.mark.parametrize("jump", [20.0, NINE - 60, NINE - 1, NINE + HOUR])
def test_a_clock_that_jumps_by_a_year_asks_as_before(year: float, jump: float) -> None:
    """The clock's jump causes neither many check-ins at once nor a year without any."""
    story = care(rules=replace(RULES, care=CareRules(callout_s=14 * DAY)))
    asked = 0
    for minute in range(1, 3 * 24 * 60):
        at = minute * 60.0
        utc = EIGHT + at + (year if at >= jump else 0.0)
        effects = story.do(Heartbeat(at, utc, synced=True))
        effects += story.do(Ticked(at + 1))
        asked += sum(isinstance(e, Ask) and not e.slow for e in effects)
        if asking(story.state.care):
            story.do(said(at + 5, Meaning.FINE))
    assert asked in {5, 6}, "six are due; the one at which the clock jumps may be lost"


def test_a_clock_that_is_put_back_and_forth_asks_at_most_every_hour() -> None:
    story = care() >> Wait(NINE) << [MOOD]
    story = story >> said(NINE + 9, Meaning.FINE) << [result("fine"), FINE]
    for n in range(1, 20):
        story.year = -DAY - HOUR if n % 2 else 0.0
        story.beat(NINE + 60 * n)
        assert story >> Wait(NINE + 60 * n + 1) << []


def test_two_that_are_close_together_are_one() -> None:
    rules = replace(RULES, care=CareRules(times=("09:00", "09:10")))
    story = care(rules=rules) >> Wait(NINE) << [MOOD]
    story = story >> Wait(NINE + 60) << [] >> Wait(NINE + 5 * MINUTE) << [MOOD_SLOW]
    assert story >> said(NINE + 6 * MINUTE, Meaning.FINE) << [result("fine", attempts=2), FINE]
    assert story >> Wait(NINE + 10 * MINUTE) << [] >> Wait(NINE + 9 * HOUR) << []


def test_a_talk_that_a_power_cut_broke_off_long_ago_is_not_taken_up() -> None:
    story = care() >> Wait(NINE) << [MOOD]
    story.start(NINE + 6 * HOUR, 9.0)
    assert story >> Wait(NINE + 6 * HOUR + 10) << []
    assert story.state.care.visit is None
    assert story >> Wait(SIX) << [HEALTH]


def test_without_times_the_clock_is_not_looked_at() -> None:
    rules = replace(RULES, care=CareRules(times=()))
    story = care(rules=rules) >> Wait(NINE) << [] >> Wait(SIX) << []
    assert story.state.care.next_local is None


clocks = st.floats(-4e9, 1e10).map(lambda second: round(second, 3))  # a clock has milliseconds
times = st.lists(
    st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)), min_size=1, max_size=5
).map(tuple)


@given(times, clocks)
def test_the_last_and_the_next_time_of_day_enclose_the_present(
    of_day: tuple[str, ...], local: float
) -> None:
    last, ahead = last_of(of_day, local), next_of(of_day, local)
    assert last is not None
    assert ahead is not None
    assert last <= local < ahead <= last + DAY
    assert local - last < DAY
    assert last_of(of_day, ahead) == ahead


@given(times, clocks)
def test_what_is_left_of_the_night_ends_with_it(of_day: tuple[str, ...], local: float) -> None:
    begin, end = of_day[0], of_day[-1]
    left = left_of(begin, end, local)
    assert 0.0 <= left <= DAY
    assert left_of(begin, end, local + left + 0.01) == 0.0 or begin == end


@pytest.mark.parametrize("utc", [float("nan"), float("inf"), -1e18, 1e18])
def test_a_clock_may_say_anything(utc: float) -> None:
    event = Started(0.0, utc, synced=True, boot="b")
    state = recover(HomeState(), event, [])
    for at in (0.0, NINE, SIX):
        state, _ = decide(state, replace(event, at=at), RULES)
    assert last_of((), 0.0) is None
    assert next_of((), 0.0) is None
    assert len(name_of(utc)) == len("2026-03-01-0900")
