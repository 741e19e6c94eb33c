"""Where the resident is held to be: by the exit door, by activity, by their own word."""

import pytest

from hub.core.daily import AnsweredBy, PresenceKind
from hub.core.effects import Phrase, Say
from hub.core.events import ContactChanged
from hub.core.house_events import Answered, Meaning
from hub.core.scaip import Kind
from tests.core.house_scenes import FRONT, HOUR, KITCHEN, LIVING, RULES, Lived, settled
from tests.core.scenes import HELP

AWAY, HOME, ASLEEP = PresenceKind.AWAY, PresenceKind.HOME, PresenceKind.ASLEEP


def lived() -> Lived:
    """A home at ten in the morning, with somebody in the kitchen."""
    return Lived().move(KITCHEN, 9.9).move(LIVING, 9.95).move(KITCHEN, 10.0)


def test_who_goes_by_the_door_and_is_seen_no_more_is_away() -> None:
    home = lived().door(10.01)
    assert home.kind is not AWAY, "not yet"
    assert home.until(10.1).kind is AWAY


def test_who_walks_on_inside_after_the_door_has_stayed() -> None:
    """A parcel was taken in; and whoever sits still after it is at home."""
    assert lived().door(10.01).move(LIVING, 10.02).until(14.0).kind is not AWAY


def test_a_sensor_by_the_door_may_see_who_leaves() -> None:
    home = lived().door(10.01, shut_s=5.0)
    assert home.move(KITCHEN, (home.at + 5.0) / HOUR).until(10.2).kind is AWAY


def test_the_door_ends_an_absence_and_who_then_falls_is_at_home() -> None:
    home = lived().door(10.01).until(15.0)
    assert home.door(15.1).until(15.5).kind is HOME


def test_who_comes_back_and_leaves_again_is_away() -> None:
    home = lived().door(10.01).until(15.0).door(15.1)
    assert home.door(15.2).until(15.5).kind is AWAY


def test_one_lone_pulse_in_an_empty_house_is_nobody() -> None:
    assert lived().door(10.01).until(11.0).move(KITCHEN, 11.0).until(11.5).kind is AWAY


def test_an_echo_of_the_same_sensor_is_the_same_pulse() -> None:
    home = lived().door(10.01).until(11.0).move(KITCHEN, 11.0)
    assert home.move(KITCHEN, 11.0 + 10.0 / HOUR).kind is AWAY


@pytest.mark.parametrize("device", [KITCHEN, LIVING])
def test_a_second_pulse_soon_after_is_somebody(device: str) -> None:
    home = lived().door(10.01).until(11.0).move(KITCHEN, 11.0).move(device, 11.05)
    assert home.kind is HOME


def test_three_pulses_far_apart_are_somebody_who_came_unseen() -> None:
    home = lived().door(10.01).until(11.0).move(KITCHEN, 11.0).move(KITCHEN, 12.0)
    assert home.kind is AWAY
    assert home.move(KITCHEN, 13.0).kind is HOME
    home = lived().door(10.01).until(11.0).move(KITCHEN, 11.0).move(KITCHEN, 15.0)
    assert home.move(KITCHEN, 20.0).kind is AWAY, "so far apart that they are three times the first"


def test_a_call_for_help_while_away_brings_the_resident_home() -> None:
    home = lived().door(10.01).until(11.0)
    for closed in (True, False):
        home.take(ContactChanged(home.at, HELP, closed)).until((home.at + 1.0) / HOUR)
    assert home.kind is HOME
    assert home.kinds == [Kind.HELP_BUTTON]


def test_a_word_from_the_resident_brings_them_home() -> None:
    home = lived().door(10.01).until(11.0)
    assert home.take(Answered(home.at, Meaning.FINE)).kind is HOME
    home = lived().door(10.01).until(11.0)
    assert home.take(Answered(home.at, Meaning.UNCLEAR)).kind is AWAY
    home = lived().door(10.01).until(11.0)
    assert home.take(Answered(home.at, Meaning.UNCLEAR, AnsweredBy.NOBODY)).kind is AWAY


def test_who_says_so_is_away_but_not_for_ever() -> None:
    home = lived().take(Answered(10.0 * HOUR + 10.0, Meaning.AWAY))
    assert Say(Phrase.AWAY_NOTED) in home.effects
    assert home.until(10.0 + RULES.quiet.declared_away_s / HOUR - 0.5).kind is AWAY
    assert home.until(10.1 + RULES.quiet.declared_away_s / HOUR).kind is HOME


def test_who_says_that_they_are_back_is_welcomed_once() -> None:
    home = lived().take(Answered(10.0 * HOUR + 10.0, Meaning.AWAY))
    home.take(Answered(11.0 * HOUR, Meaning.HOME)).take(Answered(11.1 * HOUR, Meaning.HOME))
    assert home.effects.count(Say(Phrase.WELCOME_HOME)) == 1
    assert home.kind is HOME


def test_long_quiet_at_an_hour_of_rest_is_sleep_and_activity_ends_it() -> None:
    home = settled(10)
    assert home.until(10 * 24 + 2.0).kind is ASLEEP
    assert home.move(KITCHEN, 10 * 24 + 3.0).kind is HOME
    assert home.live(10, [12.0]).until(10 * 24 + 13.0).kind is HOME, "a nap by day is no sleep"


def test_the_level_of_a_door_at_start_is_nobodys_deed() -> None:
    home = Lived()
    home.take(ContactChanged(1.0, FRONT, closed=False))
    assert home.state.house.active_by == ""
    assert home.until(1.0).kind is PresenceKind.UNKNOWN


def test_who_leaves_the_door_open_and_moves_no_more_may_lie_there() -> None:
    home = lived().until(10.1)
    home.take(ContactChanged(1.0, FRONT, closed=True))
    home.take(ContactChanged(home.at, FRONT, closed=False)).until(11.0)
    assert home.kind is not AWAY


def test_a_door_that_never_tells_of_its_closing_still_lets_people_out() -> None:
    home = lived().until(10.1)
    for at in (1.0, home.at):
        home.take(ContactChanged(at, FRONT, closed=False))
    assert home.until(11.0).kind is AWAY


def test_a_door_whose_contact_is_the_wrong_way_round_still_lets_people_out() -> None:
    """Between two openings it says "open" for hours, and "shut" for a few seconds."""
    home = lived().until(10.1)
    home.take(ContactChanged(1.0, FRONT, closed=False))
    home.take(ContactChanged(home.at, FRONT, closed=True))
    home.take(ContactChanged(home.at + 5.0, FRONT, closed=False)).until(11.0)
    assert home.kind is AWAY
