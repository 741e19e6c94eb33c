"""A command of the centre is done once and in time; a wrong one is refused with a reply."""

import msgspec
import pytest

from hub.contract import wire
from hub.contract.messages import Command, CommandKind, Reply, Telemetry
from hub.contract.scaip import Kind, What
from hub.contract.voice import Phrase
from hub.core.decide import must_commit
from hub.core.model.effects import Effect, Lane, Publish, Say
from hub.core.model.events import CommandReceived, Heartbeat, Measured
from hub.core.model.state import HomeState
from tests.hub.core.scenes import UTC, calls, quiet, read, story, tell


def order(
    at: float = 10.0,
    counter: int = 1,
    lasts_s: float = 60.0,
    kind: CommandKind = CommandKind.ANNOUNCE,
) -> CommandReceived:
    command = Command(f"c{counter}", kind, counter, UTC + at + lasts_s, "점심 드셨어요?")
    return CommandReceived(at, UTC + at, command)


def replies(effects: list[Effect]) -> list[Reply]:
    found = [e for e in effects if isinstance(e, Publish) and e.topic.endswith("/reply")]
    assert all(e.lane is Lane.LIVE for e in found)
    messages = [wire.decode_from_hub(e.topic, e.payload)[1] for e in found]
    return [m for m in messages if isinstance(m, Reply)]


def test_an_announcement_is_spoken_and_answered() -> None:
    effects = story(quiet(), order())[1]
    assert effects[0] == Say(Phrase.ANNOUNCEMENT, "점심 드셨어요?", receipt="c1")
    assert replies(effects) == [Reply("c1", done=True)]


def test_a_test_call_goes_the_whole_way() -> None:
    state, effects = story(quiet(), order(kind=CommandKind.TEST_CALL))
    (event,) = map(read, calls(effects))
    assert (event.data.kind, event.data.what, event.data.device) == (
        Kind.TEST,
        What.RAISED,
        "center",
    )
    assert (event.data.scaip.stc, event.data.scaip.pri) == ("0102", 9)
    assert (len(state.owed), replies(effects)) == (1, [Reply("c1", done=True)])


@pytest.mark.parametrize("counter", [4, 5])
def test_a_counter_that_was_seen_or_passed_is_refused(counter: int) -> None:
    state, effects = story(tell(quiet(), order(counter=5)), order(11.0, counter))
    assert replies(effects) == [Reply(f"c{counter}", done=False, reason="replayed")]
    assert not [e for e in effects if isinstance(e, Say)]
    assert state.counter == 5


@pytest.mark.parametrize(("lasts_s", "done"), [(-0.1, False), (0, True), (300, True), (301, False)])
def test_an_order_lasts_five_minutes_at_most(lasts_s: float, done: bool) -> None:  # noqa: FBT001 - a table
    state, effects = story(quiet(), order(lasts_s=lasts_s))
    assert replies(effects) == [Reply("c1", done=done, reason="" if done else "expired")]
    assert bool([e for e in effects if isinstance(e, Say)]) is done
    assert state.counter == 1  # an order that came too late is not obeyed later


def test_a_hub_that_does_not_know_the_time_obeys_what_is_new() -> None:
    lost = tell(quiet(), Heartbeat(5.0, 0.0, synced=False))
    assert replies(story(lost, order(lasts_s=-9e9))[1]) == [Reply("c1", done=True)]
    assert replies(story(tell(lost, order()), order(11.0))[1])[0].reason == "replayed"


def test_an_order_is_on_the_disk_before_it_is_done() -> None:
    before = quiet()
    after, effects = story(before, order())
    assert must_commit(before, after, effects)


def test_the_highest_counter_and_version_that_the_wire_allows_fit_the_snapshot() -> None:
    payload = b'{"id":"c","kind":"announce","counter":9007199254740991,"expires_utc":1772323270}'
    command = wire.decode_from_center("js-0001", "anbu/1/js-0001/cmd", payload)
    assert isinstance(command, Command)
    state = tell(quiet(), CommandReceived(10.0, UTC + 10, command))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=HomeState) == state


def test_readings_go_last() -> None:
    before = quiet()
    state, effects = story(before, Measured(10.0, {"rss_mb": 30.5}, dropped=2))
    (publish,) = effects
    assert isinstance(publish, Publish)
    assert (publish.id, publish.lane, publish.retain) == ("b1-1", Lane.TELEMETRY, False)
    _, message = wire.decode_from_hub(publish.topic, publish.payload)
    assert message == Telemetry(UTC + 10, synced=True, readings={"rss_mb": 30.5}, dropped=2)
    assert not must_commit(before, state, effects)


def test_a_command_of_a_newer_centre_is_answered_that_it_is_unknown() -> None:
    unknown = Command("c1", CommandKind.of("open_the_door"), 1, UTC + 60)
    state, effects = story(quiet(), CommandReceived(10.0, UTC + 10, unknown))
    assert replies(effects) == [Reply("c1", done=False, reason="unknown")]
    assert [e for e in effects if isinstance(e, Say)] == []
    assert state.counter == 1
