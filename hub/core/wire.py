"""The wire: topics, bytes, version; encode and decode the shapes of `payloads`.

Topic level 2 is the major version. A reader ignores fields that it does not know, so a newer
peer may add some; it refuses a message that lacks one or has a wrong type. `docs/asyncapi.yaml`
is generated from here.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from hub.core.commands import Command, Reply
from hub.core.daily import Activity, AnnouncementEvent, CareEvent, CheckInEvent
from hub.core.payloads import (
    Ack,
    AlarmEvent,
    CenterState,
    Cleared,
    FaultReport,
    FromCenter,
    FromHub,
    Happened,
    HubState,
    ReportEvent,
    Telemetry,
)

VERSION = 1
MAX_BYTES = 16 * 1024
CENTER_TOPIC = f"anbu/{VERSION}/center"

M = TypeVar("M")


class Reason(StrEnum):
    """Why a message from outside was dropped. Counted by reason; never logged with content."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    UNKNOWN_TOPIC = "unknown_topic"
    WRONG_VERSION = "wrong_version"
    FOREIGN_HUB = "foreign_hub"
    EXPIRED = "expired"
    REPLAYED = "replayed"


class RefusedError(ValueError):
    """A message that the wire's contract does not allow."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def topic(hub: str, *parts: str) -> str:
    """Name one of a hub's topics, such as `anbu/1/js-0001/event`."""
    return "/".join((f"anbu/{VERSION}", hub, *parts))


def timestamp(utc: float) -> str:
    """Write seconds since 1970 as RFC 3339 in UTC with milliseconds, as CloudEvents wants."""
    try:
        moment = datetime.fromtimestamp(utc, UTC)
    except (OverflowError, OSError, ValueError):  # a clock that was never set may say anything
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(message: FromHub | FromCenter) -> bytes:
    """Give the message's bytes; `decode_from_hub` and `decode_from_center` turn it back."""
    return b"" if isinstance(message, Cleared) else msgspec.json.encode(message)


def decode_from_hub(topic_name: str, payload: bytes) -> tuple[str, FromHub]:
    """Give (hub, message) of what a hub has published, or raise `RefusedError`."""
    hub, parts = _address(topic_name, payload)
    match parts:
        case ["event"]:
            event = _event(payload)
            if event.source != source(hub):
                raise RefusedError(Reason.FOREIGN_HUB)
            return hub, event
        case ["state"]:
            return hub, _decode(payload, HubState)
        case ["fault", fault] if not payload:
            return hub, Cleared(fault)
        case ["fault", fault]:
            report = _decode(payload, FaultReport)
            if report.fault != fault:
                raise RefusedError(Reason.MALFORMED)
            return hub, report
        case ["telemetry"]:
            return hub, _decode(payload, Telemetry)
        case ["activity"]:
            return hub, _decode(payload, Activity)
        case ["reply"]:
            return hub, _decode(payload, Reply)
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


def decode_from_center(hub: str, topic_name: str, payload: bytes) -> FromCenter:
    """Give the message that the centre has sent to `hub`, or raise `RefusedError`."""
    if topic_name == CENTER_TOPIC:
        if len(payload) > MAX_BYTES:
            raise RefusedError(Reason.OVERSIZED)
        return _decode(payload, CenterState)
    addressee, parts = _address(topic_name, payload)
    if addressee != hub:
        raise RefusedError(Reason.FOREIGN_HUB)
    match parts:
        case ["ack"]:
            return _decode(payload, Ack)
        case ["cmd"]:
            return _decode(payload, Command)
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


def source(hub: str) -> str:
    """Name a hub as a CloudEvents source."""
    return f"/anbu/hub/{hub}"


def _address(topic_name: str, payload: bytes) -> tuple[str, list[str]]:
    if len(payload) > MAX_BYTES:
        raise RefusedError(Reason.OVERSIZED)
    match topic_name.split("/"):
        case ["anbu", version, hub, *parts] if hub and parts:
            if version != str(VERSION):
                raise RefusedError(Reason.WRONG_VERSION)
            return hub, parts
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


_EVENTS: dict[str, type[Happened]] = {
    "report": ReportEvent,
    "checkin": CheckInEvent,
    "care": CareEvent,
    "announcement": AnnouncementEvent,
}


def _event(payload: bytes) -> Happened:
    family = _decode(payload, _Type).type.removeprefix("anbu.").partition(".")[0]
    return _decode(payload, _EVENTS.get(family, AlarmEvent))


class _Type(Struct, frozen=True):
    type: str


def _decode(payload: bytes, shape: type[M]) -> M:
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(Reason.MALFORMED) from error
