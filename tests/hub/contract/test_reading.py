"""A call for help is read as far as it can be, and what is no call does not become one."""

import pytest

from hub.contract import reading, wire
from hub.contract.examples import (
    ALARM,
    HUB,
    alarm_event,
    announcement_event,
    care_event,
    check_in_event,
    report_event,
)
from hub.contract.messages import (
    AlarmEvent,
    AnnouncementEvent,
    AnnouncementOutcome,
    CareEvent,
    CheckInEvent,
    CheckInResult,
    OtherEvent,
    ReportEvent,
)
from hub.contract.reading import ALL, UNREAD
from hub.contract.scaip import Care, Kind, Report, What
from hub.contract.wire import Reason, RefusedError

TOPIC = wire.topic(HUB, "event")
CALL = wire.encode(alarm_event(Kind.HELP_BUTTON, What.RAISED))
CANCELLED = wire.encode(alarm_event(Kind.HELP_BUTTON, What.CANCELLED))


def called(payload: bytes) -> tuple[AlarmEvent, tuple[str, ...]]:
    heard = wire.read_from_hub(TOPIC, payload)
    assert heard.hub == HUB
    assert isinstance(heard.message, AlarmEvent)
    return heard.message, heard.lost


def test_a_call_of_a_kind_from_the_future_is_read_whole_and_keeps_its_kind() -> None:
    event, lost = called(CALL.replace(b'"help_button"', b'"fall"'))
    assert (event.id, event.data.alarm, event.data.kind, lost) == (ALARM, ALARM, "fall", ())
    assert wire.decode_from_hub(TOPIC, wire.encode(event)) == (HUB, event)


def test_a_field_of_another_type_hides_no_call() -> None:
    event, lost = called(CALL.replace('"거실"'.encode(), b'["a","b"]', 1))
    assert (event.id, event.data.place, event.data.device) == (ALARM, "", "help")
    assert lost == ("data.place",)


def test_what_happened_is_known_by_the_type_too() -> None:
    event, lost = called(CANCELLED.replace(b'"what":"cancelled"', b'"what":7'))
    assert (event.data.what, lost) == (What.CANCELLED, ("data.what",))
    event, _ = called(CALL.replace(b'"what":"raised"', b'"what":7').replace(b"alarm.raised", b"x"))
    assert event.data.what is What.RAISED
    event, _ = called(CALL.replace(b'"what":"raised"', b'"what":"shouted"'))
    assert event.data.what == "shouted"


def test_a_call_without_an_id_is_named_by_its_bytes() -> None:
    torn = CALL.replace(b'"id":"' + ALARM.encode() + b'",', b"")
    event, lost = called(torn)
    assert event.id.startswith(UNREAD)
    assert (event.data.alarm, lost) == (ALARM, ("id",))
    assert called(torn)[0].id == event.id
    assert called(torn + b" ")[0].id != event.id


def test_an_empty_id_or_alarm_is_none() -> None:
    event, _ = called(CALL.replace(b'"id":"' + ALARM.encode(), b'"id":"'))
    assert event.id.startswith(UNREAD)
    event, _ = called(CALL.replace(b'"alarm":"' + ALARM.encode(), b'"alarm":"'))
    assert event.data.alarm == event.id == ALARM


def test_of_torn_bytes_the_words_are_read() -> None:
    event, lost = called(CALL[: CALL.index(b'"boot"')])
    assert lost == (ALL,)
    assert (event.id, event.data.alarm, event.data.kind) == (ALARM, ALARM, Kind.HELP_BUTTON)
    assert (event.data.device, event.data.place, event.data.synced) == ("help", "거실", False)


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"5", b"\xff\xfe", b"{", b"[" * 9000, b'{"id":"\x01"', b"{}"]
)
def test_bytes_that_say_nothing_are_still_a_call(payload: bytes) -> None:
    event, lost = called(payload)
    assert lost
    assert event.id.startswith(UNREAD)
    assert event.data.alarm == event.id
    assert (event.data.what, event.data.kind) == (What.RAISED, "other")
    assert called(payload)[0] == event


def test_a_call_that_is_too_long_still_rings() -> None:
    event, lost = called(CALL[:-1] + b',"more":"' + b"x" * wire.MAX_BYTES + b'"}')
    assert (event.id, event.data.kind, lost) == (ALARM, Kind.HELP_BUTTON, (ALL,))


def test_a_call_that_names_another_hub_is_the_one_of_its_topic() -> None:
    heard = wire.read_from_hub(wire.topic("js-0002", "event"), CALL)
    assert isinstance(heard.message, AlarmEvent)
    assert (heard.hub, heard.message.source) == ("js-0002", "/anbu/hub/js-0002")
    assert heard.lost == ("source",)


OTHERS = [
    (wire.encode(report_event(Report.MAINS_LOST)), ReportEvent),
    (wire.encode(check_in_event(CheckInResult.FINE)), CheckInEvent),
    (wire.encode(care_event(Care.UNWELL)), CareEvent),
    (wire.encode(announcement_event(AnnouncementOutcome.SPOKEN)), AnnouncementEvent),
]


@pytest.mark.parametrize(("payload", "shape"), OTHERS)
def test_what_is_no_call_stays_none_whatever_is_wrong_with_it(payload: bytes, shape: type) -> None:
    for flawed in (
        payload.replace(b'"synced":true', b'"synced":"yes"'),
        payload.replace(b'"type":"anbu.', b'"type":"future.').replace(b'"1.0"', b'"9.0"'),
        payload.replace(b'"type":', b'"typus":'),
        payload.replace(b'"id":', b'"no":'),
        payload.replace(b'"source":', b'"from":'),
    ):
        message = wire.read_from_hub(TOPIC, flawed).message
        assert isinstance(message, shape)


def test_what_is_no_call_and_names_another_hub_is_refused() -> None:
    for payload, _ in OTHERS:
        for flawed in (payload, payload.replace(b'"synced":true', b'"synced":"yes"')):
            with pytest.raises(RefusedError) as refused:
                wire.read_from_hub(wire.topic("js-0002", "event"), flawed)
            assert refused.value.reason is Reason.FOREIGN_HUB


NEWER = (
    b'{"specversion":"1.0","id":"n-1","source":"/anbu/hub/js-0001","type":"anbu.vitals.pulse",'
    b'"time":"2026-03-01T00:00:00.000Z","data":{"bpm":61,"scaip":{"pri":%s}}}'
)


def test_an_event_of_a_newer_family_that_can_wait_is_no_call() -> None:
    message = wire.read_from_hub(TOPIC, NEWER % b"5").message
    assert isinstance(message, OtherEvent)
    assert (message.id, message.type) == ("n-1", "anbu.vitals.pulse")
    with pytest.raises(RefusedError) as refused:
        wire.decode_from_hub(TOPIC, NEWER % b"5")
    assert refused.value.reason is Reason.UNKNOWN
    nameless = wire.read_from_hub(TOPIC, (NEWER % b"7").replace(b'"id"', b'"no"')).message
    assert nameless.id.startswith(UNREAD)  # type: ignore[union-attr]


@pytest.mark.parametrize("urgency", [b"0", b"3", b'"5"', b"null"])
def test_an_event_of_a_newer_family_that_may_be_urgent_is_a_call(urgency: bytes) -> None:
    event, lost = called(NEWER % urgency)
    assert (event.id, event.data.alarm) == ("n-1", "n-1")
    assert "data.kind" in lost


def test_an_event_without_a_scaip_block_is_a_call() -> None:
    event, _ = called(b'{"id":"n-2","type":"anbu.new.thing","data":{"scaip":5}}')
    assert event.id == "n-2"


def test_a_call_of_which_nothing_is_taken_over_is_named_by_its_bytes() -> None:
    one, other = (reading.unread_call("/anbu/hub/js-0001", payload) for payload in (b"a", b"b"))
    assert one.id == one.data.alarm != other.id
    assert one.data.what is What.RAISED
