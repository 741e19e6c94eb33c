"""A phone that is seen is a hint for people: by consent only, and nobody's sign of life."""

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import HubState, PhoneSeen
from hub.core.decide import decide, must_commit, recover
from hub.core.inputs import wireless
from hub.core.model.effects import Effect, Publish
from hub.core.model.events import RangeChanged, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.core.supervision import faults
from tests.hub.core.scenes import RULES, UTC, quiet, started

PHONE, OTHER = "phone-1", "phone-2"
HOME: Rules = replace(RULES, phones=(PHONE, OTHER), phones_told=(PHONE,))


def seen(state: HomeState, at: float, phone: str = PHONE, *, near: bool = True) -> HomeState:
    state, effects = decide(state, RangeChanged(at, phone, near), HOME)
    assert effects == []
    return state


def told(state: HomeState, at: float, rules: Rules = HOME) -> tuple[PhoneSeen, ...]:
    effects: list[Effect] = faults.publish_state(state, at, rules)[1]
    (publish,) = [e for e in effects if isinstance(e, Publish)]
    message = wire.decode_from_hub(publish.topic, publish.payload)[1]
    assert isinstance(message, HubState)
    return message.phones


def test_when_a_phone_was_seen_is_told_and_that_it_is_not_seen_is_not() -> None:
    state = seen(seen(quiet(), 5.0), 9.0, near=False)
    assert told(state, 10.0) == (PhoneSeen(PHONE, UTC + 5.0),)
    assert told(seen(state, 20.0), 21.0) == (PhoneSeen(PHONE, UTC + 20.0),)


def test_without_consent_nothing_is_kept_or_told() -> None:
    state = seen(quiet(), 5.0, OTHER)
    assert (state.phones, told(state, 10.0)) == ({}, ())
    stranger, effects = decide(quiet(), RangeChanged(5.0, "stranger", near=True), HOME)
    assert (stranger.phones, effects) == ({}, [])


def test_a_consent_that_is_taken_back_holds_at_once() -> None:
    state, without = seen(quiet(), 5.0), replace(HOME, phones_told=())
    assert told(state, 10.0, without) == ()
    state = wireless.take_event(state, RangeChanged(11.0, PHONE, near=True), without)[0]
    assert state.phones == {}


def test_a_phone_is_no_sign_of_life_and_begins_nothing() -> None:
    before = quiet()
    after = seen(seen(before, 5.0), 6.0, near=False)
    assert replace(after, phones={}) == replace(before, clock=after.clock)
    assert decide(after, Ticked(7.0), HOME)[1] == []


def test_that_it_is_still_here_is_told_to_nobody_and_no_reason_to_write() -> None:
    before = seen(quiet(), 5.0)
    for at in (6.0, 7.0, 8.0):
        after = seen(before, at)
        assert not must_commit(before, after, [])
        before = after
    assert told(before, 9.0) == (PhoneSeen(PHONE, UTC + 8.0),)


def test_it_is_remembered_over_a_restart() -> None:
    state = recover(seen(quiet(), 5.0), started(60.0, "b2"), ())
    assert told(state, 61.0) == (PhoneSeen(PHONE, UTC + 5.0),)
