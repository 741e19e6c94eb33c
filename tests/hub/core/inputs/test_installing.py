"""The centre follows an installation, and has the hub ask something: nothing of a call changes."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Command, CommandKind, Reply
from hub.contract.voice import Phrase
from hub.core.decide import decide, next_wake, recover
from hub.core.inputs.installing import MOST_S
from hub.core.model.effects import Ask, Effect, Publish
from hub.core.model.events import CommandReceived, Heartbeat
from tests.hub.core.scenes import (
    HELP,
    RULES,
    UTC,
    called,
    calls,
    press,
    quiet,
    started,
    story,
    tell,
)


def order(kind: CommandKind, lasts_s: float = 0.0, at: float = 10.0, n: int = 1) -> CommandReceived:
    command = Command(f"c{n}", kind, n, UTC + at + 30, lasts_s=lasts_s)
    return CommandReceived(at, UTC + at, command)


def answers(effects: list[Effect]) -> list[tuple[bool, str]]:
    heard = [wire.decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    return [(one.done, one.reason) for one in heard if isinstance(one, Reply)]


FOLLOW = CommandKind.INSTALL_FOLLOW
SPEAKS = replace(RULES, voice="voice")


def test_it_is_followed_for_as_long_as_the_centre_says_and_a_quarter_of_an_hour_at_most() -> None:
    state = tell(quiet(), order(FOLLOW, 120.0))
    assert (quiet().is_followed(10.0), state.is_followed(129.9)) == (False, True)
    assert not state.is_followed(130.0)
    long = tell(state, order(FOLLOW, 3600.0, 20.0, 2))
    assert (long.is_followed(20.0 + MOST_S - 0.1), long.is_followed(20.0 + MOST_S)) == (True, False)
    assert not tell(long, order(FOLLOW, 0.0, 30.0, 3)).is_followed(30.0)


@pytest.mark.parametrize("ahead_s", [-86_400.0, -241.0, 61.0, 86_400.0, 60 * 365 * 86_400.0])
def test_a_hub_with_a_wrong_clock_shows_itself_for_where_else_would_that_be_seen(
    ahead_s: float,
) -> None:
    wrong = tell(quiet(), Heartbeat(5.0, UTC + ahead_s + 5.0, synced=True))
    command = Command("c1", FOLLOW, 1, UTC + 70.0, lasts_s=120.0)  # sent at 10.0 by a right clock
    state, effects = decide(wrong, CommandReceived(10.0, UTC + ahead_s + 10.0, command), RULES)
    assert answers(effects) == [(True, "")]
    assert state.is_followed(129.9)


def test_one_that_was_held_back_is_obeyed_once_and_shows_the_hub_for_its_own_time_only() -> None:
    late = CommandReceived(10.0, UTC + 9e6, order(FOLLOW, 120.0).command)
    state, effects = decide(quiet(), late, RULES)
    assert not state.is_followed(130.0)
    again, effects = decide(state, replace(late, at=500.0), RULES)
    assert answers(effects) == [(False, "replayed")]
    assert not again.is_followed(500.0)


@pytest.mark.parametrize("kind", [one for one in CommandKind if one is not FOLLOW])
def test_whatever_else_is_held_back_is_refused(kind: CommandKind) -> None:
    late = CommandReceived(10.0, UTC + 9e6, order(kind, 120.0).command)
    _, effects = decide(quiet(), late, SPEAKS)
    assert [reason for _, reason in answers(effects)] == ["expired"]


def test_being_followed_makes_no_deadline_and_is_not_kept_over_a_restart() -> None:
    state = tell(quiet(), order(FOLLOW, 120.0))
    assert next_wake(state, RULES) == next_wake(tell(quiet(), order(FOLLOW, 0.0)), RULES)
    assert not recover(state, started(20.0), []).is_followed(20.0)


def test_a_press_is_a_call_while_somebody_follows() -> None:
    _, effects = story(tell(quiet(), order(FOLLOW, 120.0)), *press(20.0, HELP))
    assert len(calls(effects)) == 1


def test_a_sound_check_asks_and_listens() -> None:
    state, effects = decide(quiet(), order(CommandKind.SOUND_CHECK), SPEAKS)
    assert Ask(Phrase.ASK_HEALTH) in effects
    assert answers(effects) == [(True, "")]
    assert state.care == quiet().care, "it is no check-in: silence calls nobody"


def test_nothing_is_asked_during_a_call_or_where_nothing_speaks() -> None:
    _, effects = decide(called(), order(CommandKind.SOUND_CHECK, at=40.0), SPEAKS)
    assert answers(effects) == [(False, "not_now")]
    _, effects = decide(quiet(), order(CommandKind.SOUND_CHECK), replace(RULES, voice=""))
    assert answers(effects) == [(False, "not_now")]
