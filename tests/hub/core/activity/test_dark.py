"""After hours that no hub watched, rules wait for watched hours; the alarms are spread by day."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from hub.contract.voice import Phrase
from hub.core.activity import dark
from hub.core.decide import next_wake, recover
from hub.core.model.effects import Ask, Effect
from hub.core.model.events import Started, Ticked
from hub.core.model.rules import CareRules, Rules
from tests.hub.core.care_scenes import (
    DAY,
    EIGHT,
    HOUR,
    MINUTE,
    MOOD,
    MOOD_SLOW,
    REMIND,
    RULES,
    Care,
    Wait,
    alarm,
    care,
    moves,
    red,
    result,
)

NOBODY = replace(RULES, care=CareRules(times=()))
WARN = Ask(Phrase.WARN_NO_LIFE)
NIGHT = 42.5 * HOUR  # 02:30, two nights after the start at 08:00
MORNING, NOON = 48 * HOUR, 52 * HOUR  # 08:00 and 12:00 of that day


def silent(rules: Rules = NOBODY) -> Care:
    """A home at nine o'clock, in which somebody moved at eight."""
    return care(rules=rules) >> Wait(HOUR) << []


def warned_at(story: Care, until: float) -> float | None:
    """Move the clock on as the engine does; return when the rule of 24 h raised a warning."""
    while (wake := next_wake(story.state, story.rules)) is not None:
        at = wake + story.off_s
        if at > until:
            return None
        if WARN in story.do(Ticked(max(wake, story.last - story.off_s))):
            return at
        story.last = at
    return None


def after_an_area_power_cut(hub: str) -> float:
    """Return when a home of that area, empty since then, is called."""
    story = silent(replace(NOBODY, hub=hub))
    story.start(NIGHT, 7.0)
    at = warned_at(story, 4 * DAY)
    assert at is not None
    return at


def test_when_power_returns_by_night_nobody_is_called_before_the_morning() -> None:
    at = after_an_area_power_cut("js-0001")
    assert max(MORNING, NIGHT + 4 * HOUR) <= at <= NOON
    assert at == after_an_area_power_cut("js-0001"), "and always at the same time"


def test_a_clock_that_is_right_only_a_minute_after_the_power_changes_nothing() -> None:
    story = silent()
    story.start(NIGHT, 7.0, synced=False)
    story = story >> Wait(NIGHT + 50) << []
    story.beat(NIGHT + 60)
    assert warned_at(story, 4 * DAY) == after_an_area_power_cut("js-0001")


def test_the_homes_of_an_area_are_called_one_after_another() -> None:
    times = [after_an_area_power_cut(f"js-{n:04}") for n in range(200)]
    assert MORNING <= min(times) < max(times) <= NOON
    assert _most_within(times, 5 * MINUTE) <= 12, "of two hundred, were they even: 4"


def _most_within(times: Iterable[float], span_s: float) -> int:
    moments = sorted(times)
    return max(sum(at <= other < at + span_s for other in moments) for at in moments)


@pytest.mark.parametrize(
    ("back", "earliest", "latest"),
    [
        (25 * HOUR, 29 * HOUR, 33 * HOUR),  # 09:00: by the afternoon
        (34 * HOUR, 48 * HOUR, 52 * HOUR),  # 18:00: the next morning
    ],
)
def test_it_is_called_in_the_end(back: float, earliest: float, latest: float) -> None:
    story = silent()
    story.start(back, 7.0)
    at = warned_at(story, 4 * DAY)
    assert at is not None
    assert earliest <= at <= latest


def test_an_sos_is_never_held_back() -> None:
    story = silent()
    story.start(NIGHT, 7.0)
    assert story >> red(NIGHT + 10) << [alarm("raised", "help_button")]


def test_life_ends_the_waiting_and_another_day_without_it_is_a_day() -> None:
    story = silent()
    story.start(NIGHT, 7.0)
    story = story >> moves(NIGHT + HOUR) << [] >> Wait(NIGHT + 2 * HOUR) << []
    assert story.state.care.dark_at is None
    assert story >> Wait(NIGHT + HOUR + DAY - 2) << [] >> Wait(NIGHT + HOUR + DAY) << [WARN]


def test_a_second_day_without_power_is_waited_for_anew_only_after_life() -> None:
    story = silent()
    story.start(NIGHT, 7.0)
    story = story >> moves(NIGHT + HOUR) << [] >> Wait(NIGHT + 2 * HOUR) << []
    story.start(NIGHT + 2 * DAY, 7.0)
    at = warned_at(story, NIGHT + 4 * DAY)
    assert at is not None
    assert at >= MORNING + 2 * DAY


@pytest.mark.parametrize("hub", ["js-0001", "js-0002", "js-0007"])
def test_power_that_fails_again_and_again_holds_it_back_for_a_day_of_watching_at_most(
    hub: str,
) -> None:
    """Five hours without the hub, three with it: the wait does not advance without it."""
    story, at, watched, called = silent(replace(NOBODY, hub=hub)), HOUR, 0.0, False
    while not called and warned_at(story, at) is None:
        at += 5 * HOUR
        called = WARN in power_on(story, at)
        at, watched = at + 3 * HOUR, watched + 3 * HOUR
        assert watched < DAY
    assert at >= DAY


def power_on(story: Care, at: float) -> list[Effect]:
    """Start on a machine that had no power; return the effects of the start."""
    started = Started(7.0, EIGHT + at, synced=True, boot=f"at-{at}")
    story.off_s = at - 7.0
    story.state = recover(story.state, started, [])
    return story.do(started)


def test_a_process_that_was_gone_for_a_day_on_a_machine_that_ran_waits_as_well() -> None:
    story = silent()
    story.start(NIGHT, NIGHT)
    at = warned_at(story, 4 * DAY)
    assert at is not None
    assert at >= MORNING


def test_a_stop_of_minutes_holds_nothing_back() -> None:
    story = silent() >> Wait(23 * HOUR) << []
    story.start(23 * HOUR + 600, 7.0)
    assert story >> Wait(DAY) << [] >> Wait(DAY + 2) << [WARN]


def test_the_waiting_outlasts_another_start() -> None:
    straight, again = silent(), silent()
    for story in (straight, again):
        story.start(NIGHT, 7.0)
    again.beat(NIGHT + HOUR)
    again.start(NIGHT + HOUR + 60, 7.0)
    one, other = warned_at(straight, 4 * DAY), warned_at(again, 4 * DAY)
    assert one is not None
    assert other is not None
    assert abs(other - one) <= 70.0


def test_a_clock_that_was_lost_again_knows_no_night() -> None:
    story = silent()
    story.start(NIGHT, 7.0)
    story.beat(NIGHT + 60)
    story.start(NIGHT + 120, 7.0, synced=False)
    at = warned_at(story, 4 * DAY)
    assert at is not None
    assert NIGHT + 4 * HOUR <= at <= NIGHT + 8 * HOUR


def test_a_missed_check_in_is_not_reminded_of_in_the_night_after_a_power_cut() -> None:
    nine = HOUR
    story = care() >> Wait(nine) << [MOOD] >> Wait(nine + 60) << []
    story = story >> Wait(nine + 300) << [MOOD_SLOW] >> Wait(nine + 360) << []
    story = story >> Wait(nine + 900) << [MOOD_SLOW]
    story = story >> Wait(nine + 960) << [result("missed", "nobody", 3), REMIND]
    night, morning = 18.5 * HOUR, 24 * HOUR  # 02:30, 08:00
    story.start(night, 7.0)
    story = story >> Wait(night + 70) << [] >> Wait(night + 3 * HOUR) << []
    assert story >> Wait(morning - 1) << []
    assert ask_at(story) >= morning


def ask_at(story: Care) -> float:
    """Return when the next step of an escalation is due."""
    wake = next_wake(story.state, story.rules)
    while wake is not None and wake < 9 * DAY and REMIND not in story.do(Ticked(wake)):
        wake = next_wake(story.state, story.rules)
    assert wake is not None
    return wake + story.off_s


def test_each_hub_has_a_place_of_its_own() -> None:
    places = [dark.share_of(f"js-{n:04}") for n in range(1000)]
    assert 0.0 <= min(places) < 0.02
    assert 0.98 < max(places) < 1.0
    assert len(set(places)) == 1000
