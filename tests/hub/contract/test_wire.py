"""The wire: decoding returns what was encoded; what the contract does not allow is refused."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import wire
from hub.contract.examples import HUB, alarm_event, from_center, report_event
from hub.contract.messages import (
    Ack,
    CenterState,
    Cleared,
    Command,
    FromCenter,
    FromHub,
    HubState,
    Stage,
)
from hub.contract.scaip import Kind, Report, What
from hub.contract.wire import Reason, RefusedError
from tests.hub.core.histories import examples
from tests.hub.core.shapes import fitted, messages

TOPIC = {Ack: "anbu/1/js-0001/ack", Command: "anbu/1/js-0001/cmd", CenterState: "anbu/1/center"}
EVENT = alarm_event(Kind.HELP_BUTTON, What.RAISED)
ACK = b'{"event":"e","alarm":"a","stage":"received","version":1,"utc":1}'
INSTALL = b'{"utc":1,"synced":true,"boot":"js","devices":[],"heard_s":4.0}'
CMD = b'{"id":"c","kind":"announce","counter":1,"expires_utc":1}'


@pytest.mark.parametrize("shape", get_args(FromHub))
def test_what_a_hub_says_arrives_as_it_was(shape: type[FromHub]) -> None:
    @examples(25)
    @given(messages(shape), st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True))
    def arrives(message: FromHub, hub: str) -> None:
        topic, sent = fitted(hub, message)
        payload = wire.encode(sent)
        assert wire.decode_from_hub(f"anbu/1/{hub}/{topic}", payload) == (hub, sent)

    arrives()


@pytest.mark.parametrize("shape", get_args(FromCenter))
def test_what_the_centre_says_arrives_as_it_was(shape: type[FromCenter]) -> None:
    @examples(25)
    @given(messages(shape))
    def arrives(message: FromCenter) -> None:
        payload = wire.encode(message)
        assert wire.decode_from_center("js-0001", TOPIC[type(message)], payload) == message

    arrives()


def test_a_newer_peer_may_say_more() -> None:
    more = ACK[:-1] + b',"colour":{"deep":[1,2,{}]}}'
    assert wire.decode_from_center(HUB, f"anbu/1/{HUB}/ack", more) == wire.decode_from_center(
        HUB, f"anbu/1/{HUB}/ack", ACK
    )


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("ack", b" " * (wire.MAX_BYTES + 1), Reason.OVERSIZED),
        ("ack", b"", Reason.MALFORMED),
        ("ack", b"[]", Reason.MALFORMED),
        ("ack", ACK[:-1], Reason.MALFORMED),
        ("ack", ACK.replace(b"received", b"\xff"), Reason.MALFORMED),
        ("ack", ACK.replace(b"received", b"\\ud800"), Reason.MALFORMED),
        ("ack", ACK.replace(b'"received"', b"3"), Reason.MALFORMED),
        ("ack", ACK.replace(b'"event"', b'"deed"'), Reason.MALFORMED),
        ("ack", ACK.replace(b":1,", b":" + b"9" * 5000 + b","), Reason.MALFORMED),
        ("ack", ACK.replace(b":1}", b":NaN}"), Reason.MALFORMED),
        ("ack", ACK.replace(b":1}", b":1e999}"), Reason.MALFORMED),
        ("ack", b'{"x":' + b"[" * 8000 + b"]" * 8000 + b"}", Reason.MALFORMED),
        ("cmd", CMD.replace(b'"c"', b"3"), Reason.MALFORMED),
        ("event", ACK, Reason.UNKNOWN_TOPIC),
        ("ack/more", ACK, Reason.UNKNOWN_TOPIC),
    ],
)
def test_a_hub_refuses(topic: str, payload: bytes, reason: Reason) -> None:
    with pytest.raises(RefusedError) as refused:
        wire.decode_from_center(HUB, f"anbu/1/{HUB}/{topic}", payload)
    assert refused.value.reason is reason
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("anbu/1/js-0002/ack", ACK, Reason.FOREIGN_HUB),
        (f"anbu/2/{HUB}/ack", ACK, Reason.WRONG_VERSION),
        (f"anbu/1/{HUB}", ACK, Reason.UNKNOWN_TOPIC),
        ("anbu/1//ack", ACK, Reason.UNKNOWN_TOPIC),
        (f"home/1/{HUB}/ack", ACK, Reason.UNKNOWN_TOPIC),
        ("", ACK, Reason.UNKNOWN_TOPIC),
        (wire.CENTER_TOPIC, b" " * (wire.MAX_BYTES + 1), Reason.OVERSIZED),
        (wire.CENTER_TOPIC, b'{"online":1,"utc":1}', Reason.MALFORMED),
    ],
)
def test_a_hub_refuses_what_is_not_for_it(topic: str, payload: bytes, reason: Reason) -> None:
    with pytest.raises(RefusedError) as refused:
        wire.decode_from_center(HUB, topic, payload)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("js-0002/event", wire.encode(report_event(Report.LINK_BACK)), Reason.FOREIGN_HUB),
        (f"{HUB}/state", b"{}", Reason.MALFORMED),
        (f"{HUB}/state", b"[]", Reason.MALFORMED),
        (f"{HUB}/fault", b"", Reason.UNKNOWN_TOPIC),
        (f"{HUB}/fault/a/b", b"", Reason.UNKNOWN_TOPIC),
        (f"{HUB}/telemetry", b'{"utc":1,"synced":true,"readings":{"a":null}}', Reason.MALFORMED),
        (f"{HUB}/install", b'{"utc":1,"synced":true}', Reason.MALFORMED),
        (f"{HUB}/install", INSTALL.replace(b'"js"', b'"' + b"x" * 65 + b'"'), Reason.MALFORMED),
        (f"{HUB}/install", INSTALL.replace(b"4.0", b"-1"), Reason.MALFORMED),
        (f"{HUB}/install", INSTALL.replace(b"4.0", b'"4"'), Reason.MALFORMED),
        (f"{HUB}/install", b"[" * wire.MAX_BYTES, Reason.MALFORMED),
        (f"{HUB}/install", b" " * (wire.MAX_BYTES + 1), Reason.OVERSIZED),
        (f"{HUB}/install/more", INSTALL, Reason.UNKNOWN_TOPIC),
        (f"{HUB}/reply", b" " * (wire.MAX_BYTES + 1), Reason.OVERSIZED),
        (f"{HUB}/ack", ACK, Reason.UNKNOWN_TOPIC),
    ],
)
def test_the_centre_refuses(topic: str, payload: bytes, reason: Reason) -> None:
    with pytest.raises(RefusedError) as refused:
        wire.decode_from_hub(f"anbu/1/{topic}", payload)
    assert refused.value.reason is reason


ODD_ACKS = [
    (ACK.replace(b"received", b"delighted"), ("delighted", 1)),
    (ACK.replace(b":1,", b":1.5,"), (Stage.RECEIVED, 0)),
    (ACK.replace(b":1,", b":-1,"), (Stage.RECEIVED, 0)),
    (ACK.replace(b":1,", b":2147483648,"), (Stage.RECEIVED, 0)),
    (ACK.replace(b":1}", b':"now","who":["a"]}'), (Stage.RECEIVED, 1)),
]


@pytest.mark.parametrize(("payload", "read"), ODD_ACKS)
def test_an_ack_of_a_newer_centre_still_says_what_is_stored(
    payload: bytes, read: tuple[str, int]
) -> None:
    ack = wire.decode_from_center(HUB, f"anbu/1/{HUB}/ack", payload)
    assert isinstance(ack, Ack)
    assert (ack.event, ack.alarm, (ack.stage, ack.version)) == ("e", "a", read)


ODD_COMMANDS = [
    CMD.replace(b":1,", b":9007199254740992,"),
    CMD.replace(b":1,", b":true,"),
    CMD.replace(b"announce", b"explode"),
    CMD.replace(b":1}", b':1,"urgent":"very"}'),
]


@pytest.mark.parametrize("payload", ODD_COMMANDS)
def test_a_command_that_is_not_read_whole_is_one_that_the_hub_does_not_know(payload: bytes) -> None:
    command = wire.decode_from_center(HUB, f"anbu/1/{HUB}/cmd", payload)
    assert isinstance(command, Command)
    assert command.id == "c"
    assert not command.kind.is_known


def test_a_state_with_odd_parts_still_names_its_alarms() -> None:
    odd = (
        b'{"state":"napping","utc":"now","synced":true,"boot":"b","software":"9","interval_s":30,'
        b'"alarms":[{"alarm":"a-1","stage":"escorted","version":2},{"stage":"sent"}],"voice":5}'
    )
    heard = wire.read_from_hub(f"anbu/1/{HUB}/state", odd)
    assert isinstance(heard.message, HubState)
    assert (heard.message.state, heard.message.state.is_known) == ("napping", False)
    assert [(one.alarm, one.stage) for one in heard.message.alarms] == [("a-1", "escorted")]
    assert heard.lost == ("utc", "alarms[1].alarm", "alarms[1]", "voice")


def test_a_fault_speaks_of_itself_or_is_refused() -> None:
    report = b'{"fault":"a:stuck","kind":"stuck","device":"a","since_utc":1,"synced":true}'
    assert wire.decode_from_hub(f"anbu/1/{HUB}/fault/a:stuck", report)[0] == HUB
    with pytest.raises(RefusedError, match="malformed"):
        wire.decode_from_hub(f"anbu/1/{HUB}/fault/b:stuck", report)
    assert wire.decode_from_hub(f"anbu/1/{HUB}/fault/b:stuck", b"") == (HUB, Cleared("b:stuck"))


def test_of_two_equal_keys_the_last_counts() -> None:
    twice = ACK[:-1] + b',"version":7}'
    message = wire.decode_from_center(HUB, f"anbu/1/{HUB}/ack", twice)
    assert isinstance(message, Ack)
    assert message.version == 7


@pytest.mark.parametrize(
    ("utc", "time"),
    [
        (1_772_323_200.0004, "2026-03-01T00:00:00.000Z"),
        (1_772_323_200.9999, "2026-03-01T00:00:00.999Z"),
        (-1.5, "1969-12-31T23:59:58.500Z"),
        (1e18, "1970-01-01T00:00:00.000Z"),
        (float("nan"), "1970-01-01T00:00:00.000Z"),
        (float("inf"), "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_told_in_utc_even_by_a_clock_that_was_never_set(utc: float, time: str) -> None:
    assert wire.timestamp(utc) == time


def test_the_examples_of_the_contract_are_what_the_centre_sends() -> None:
    for channel, sent in from_center().items():
        topic = wire.CENTER_TOPIC if channel == "center" else f"anbu/1/{HUB}/{channel}"
        for message in sent:
            assert wire.decode_from_center(HUB, topic, wire.encode(message)) == message
