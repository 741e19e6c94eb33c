"""Where the resident is assumed to be: by the exit door, by activity, by their own words."""

import pytest

from hub.contract.messages import AnsweredBy, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Meaning, Phrase
from hub.core.model.effects import Say
from hub.core.model.events import Answered, ContactChanged
from tests.hub.core.house_scenes import (
    FRONT,
    HOUR,
    KITCHEN,
    LIVING,
    RULES,
    WITH_FRIDGE,
    Lived,
    settled,
)
from tests.hub.core.scenes import HELP

AWAY, HOME, ASLEEP = PresenceKind.AWAY, PresenceKind.HOME, PresenceKind.ASLEEP


def lived() -> Lived:
    """A home at ten in the morning, with somebody in the kitchen."""
    return Lived().move(KITCHEN, 9.9).move(LIVING, 9.95).move(KITCHEN, 10.0)


def test_who_goes_by_the_door_and_is_seen_no_more_is_away() -> None:
    home = lived().door(10.01)
    assert home.kind is not AWAY, "not yet"
    assert home.until(10.1).kind is AWAY


def test_who_walks_on_inside_after_the_door_has_stayed() -> None:
    """A parcel was taken in; a resident who then sits still is at home."""
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


def test_a_door_that_says_again_that_it_is_open_lets_nobody_out() -> None:
    home = lived().until(10.1)
    for at in (1.0, home.at):
        home.take(ContactChanged(at, FRONT, closed=False))
    assert home.until(11.0).kind is HOME


def test_a_cupboard_after_the_front_door_is_opened_by_somebody_inside() -> None:
    """However soon after it: a hand on a contact is a new action, motion may be a late pulse."""
    home = Lived(WITH_FRIDGE).move(KITCHEN, 9.95).move(LIVING, 10.0).fridge(9.0)
    home.door(10.01).fridge((home.at + 3.0) / HOUR)
    assert home.until(10.5).kind is HOME
    assert home.door(10.6).until(11.0).kind is AWAY, "and may still go out later"


def test_who_fetches_shoes_from_a_cupboard_while_the_door_is_open_goes_out() -> None:
    home = Lived(WITH_FRIDGE).fridge(9.0).move(LIVING, 10.0).until(10.1)
    home.take(ContactChanged(home.at, FRONT, closed=True))
    home.take(ContactChanged(home.at + 1.0, FRONT, closed=False)).fridge((home.at + 3.0) / HOUR)
    assert home.take(ContactChanged(home.at + 9.0, FRONT, closed=True)).until(10.5).kind is AWAY


def test_a_hand_on_the_fridge_of_an_empty_house_is_somebody_at_once() -> None:
    home = Lived(WITH_FRIDGE).fridge(9.0).move(KITCHEN, 9.9).door(10.01).until(12.0)
    assert home.kind is AWAY
    assert home.fridge(12.0).kind is HOME
    assert home.until(15.0).kind is HOME


def test_who_came_in_and_puts_the_shopping_away_is_at_home() -> None:
    home = Lived(WITH_FRIDGE).fridge(9.0).move(KITCHEN, 9.9).door(10.01).until(12.0).door(12.0)
    assert home.fridge((home.at + 10.0) / HOUR).until(15.0).kind is HOME


@pytest.mark.parametrize("way", ["coat", "door", "fridge"])
def test_who_says_that_they_go_out_may_still_take_their_coat(way: str) -> None:
    """Movement within ten minutes after "I am going out" belongs to it and cancels nothing."""
    home = Lived(WITH_FRIDGE).fridge(9.0).move(KITCHEN, 9.9).until(10.0)
    home.take(Answered(home.at, Meaning.AWAY))
    match way:
        case "coat":
            home.move(LIVING, 10.02).move(KITCHEN, 10.05)
        case "door":
            home.door(10.05)
        case _:
            home.fridge(10.05)
    presence = home.until(11.0).state.house.presence
    assert (presence.kind, presence.until) == (AWAY, (10.0 + 12.0) * HOUR)


def test_who_says_that_they_go_out_and_is_about_half_an_hour_later_has_stayed() -> None:
    home = lived().take(Answered(10.0 * HOUR + 10.0, Meaning.AWAY))
    assert home.move(LIVING, 10.5).move(KITCHEN, 10.55).kind is HOME


def test_a_door_whose_contact_is_the_wrong_way_round_still_lets_people_out() -> None:
    """Between two openings the reversed contact reads "open" for hours and "shut" for seconds."""
    home = lived().until(10.1)
    home.take(ContactChanged(1.0, FRONT, closed=False))
    home.take(ContactChanged(home.at, FRONT, closed=True))
    home.take(ContactChanged(home.at + 5.0, FRONT, closed=False)).until(11.0)
    assert home.kind is AWAY
