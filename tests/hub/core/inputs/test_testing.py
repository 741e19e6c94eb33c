"""Test mode in the home: shown and said, over by itself, and nothing to any call."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Command, CommandKind, Reply
from hub.contract.scaip import What
from hub.contract.voice import Phrase
from hub.contract.wire import LinkTrouble
from hub.core.decide import next_wake, recover
from hub.core.model.effects import Effect, Publish, Say, Show, Signal
from hub.core.model.events import CommandReceived, LinkDown, Ticked
from hub.core.model.state import HomeState
from tests.hub.core.scenes import (
    CALM,
    HELP,
    RULES,
    UTC,
    called,
    calls,
    press,
    quiet,
    read,
    started,
    story,
    tell,
)
from tests.playbook import playbook


def heard(effect: Effect) -> Effect | None:
    """What the home shows and says; the messages to the centre are other stories."""
    return None if isinstance(effect, Publish) else effect


def order(lasts_s: float, at: float, counter: int = 1) -> CommandReceived:
    kind = CommandKind.TEST_MODE
    command = Command(f"c{counter}", kind, counter, UTC + at + 30, lasts_s=lasts_s)
    return CommandReceived(at, UTC + at, command)


def answers(effects: list[Effect]) -> list[tuple[bool, str]]:
    heard = [wire.decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    return [(one.done, one.reason) for one in heard if isinstance(one, Reply)]


def in_test(at: float = 10.0, lasts_s: float = 900.0) -> HomeState:
    return tell(quiet(), order(lasts_s, at))


def test_it_is_shown_and_said_at_its_begin_and_its_end_which_comes_by_itself() -> None:
    assert (
        playbook(quiet(), CALM, heard)
        >> order(900.0, 10.0) << [Say(Phrase.TEST_MODE), Show(Signal.TEST_MODE)]
        >> Ticked(909.9) << []
        >> Ticked(910.0) << [Say(Phrase.TEST_MODE_OVER), Show(Signal.RESTING)]
    )  # fmt: skip
    wake = next_wake(in_test(), CALM)
    assert wake is not None
    assert wake <= 910.0


def test_the_centre_ends_it_and_lengthens_it_without_a_second_word() -> None:
    assert (
        playbook(in_test(), CALM, heard)
        >> order(900.0, 500.0, 2) << []
        >> Ticked(1399.0) << []
        >> order(0.0, 1399.5, 3) << [Say(Phrase.TEST_MODE_OVER), Show(Signal.RESTING)]
        >> order(0.0, 1400.0, 4) << []
    )  # fmt: skip


def test_a_press_in_it_is_a_call_as_always() -> None:
    """Whether it is a test is judged at the centre, and only there."""
    _, effects = story(in_test(), *press(20.0, HELP))
    assert [read(call).data.what for call in calls(effects)] == [What.RAISED]
    assert Show(Signal.RAISED) in effects
    assert Say(Phrase.RAISED) in effects


def test_while_a_call_is_open_it_does_not_begin_and_ends_without_a_word() -> None:
    calling = called()
    after, effects = story(calling, order(900.0, 40.0))
    assert answers(effects) == [(False, "not_now")]
    assert after.test_until is None
    during = replace(calling, test_until=50.0)
    over, effects = story(during, Ticked(50.0))
    assert over.test_until is None
    assert Say(Phrase.TEST_MODE_OVER) not in effects


def test_a_hub_that_starts_again_shows_no_test() -> None:
    assert recover(in_test(), started(100.0), []).test_until is None


def test_a_lost_link_is_shown_before_it() -> None:
    state = tell(in_test(), LinkDown(20.0, LinkTrouble.UNREACHABLE))
    due = 20.0 + RULES.offline_s
    wake = next_wake(state, RULES)
    assert wake is not None
    assert wake <= due
    assert Show(Signal.OFFLINE) in story(state, Ticked(due))[1]


@pytest.mark.parametrize("lasts_s", [-1.0, 3600.5])
def test_a_lease_of_more_than_an_hour_is_no_command(lasts_s: float) -> None:
    raw = wire.encode(Command("c", CommandKind.TEST_MODE, 1, 2.0, lasts_s=lasts_s))
    command = wire.decode_from_center("js-1", wire.topic("js-1", "cmd"), raw)
    assert isinstance(command, Command)
    assert not command.kind.is_known
