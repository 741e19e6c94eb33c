"""The wire: topics, bytes and version; encoding and decoding of `messages`.

Topic level 2 is the major version. A newer program may add fields and values. A reader ignores
fields that it does not know, keeps values that it does not know as they came, and reads the rest of
a message in which fields are missing or wrong (`border`, `reading`). It refuses a message whose
subject is lost. `docs/asyncapi.yaml` is generated from here.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import border, reading
from hub.contract.messages import (
    Ack,
    Activity,
    AlarmEvent,
    CenterState,
    Cleared,
    Command,
    CommandKind,
    FaultReport,
    FromCenter,
    FromHub,
    HubState,
    InstallReport,
    OtherEvent,
    Reply,
    Telemetry,
    Vitals,
)

VERSION = 1
MAX_BYTES = 16 * 1024
CENTER_TOPIC = f"anbu/{VERSION}/center"
NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
BY_TOPIC: dict[str, tuple[type[HubState | Activity | Vitals | Reply], set[str]]] = {
    "state": (HubState, {"state", "alarm"}),  # what is read in part, with what must not be missing
    "activity": (Activity, {"from_utc"}),
    "vitals": (Vitals, {"from_utc"}),
    "reply": (Reply, {"id", "done"}),
}
M = TypeVar("M")
S = TypeVar("S", bound=Struct)


class LinkTrouble(StrEnum):
    """Why there is no broker. The lamp's offline state and `anbu doctor` name it."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
    CERTIFICATE_NO_AUTHORITY_KEY = "certificate_no_authority_key"  # Python 3.13 asks for it
    CERTIFICATE_MALFORMED = "certificate_malformed"
    CERTIFICATE_REVOKED = "certificate_revoked"
    TLS = "tls"
    REFUSED = "refused"
    TAKEN_OVER = "taken_over"  # another client connected with this hub's name and certificate
    OTHER_BOARD = "other_board"  # the identity was made for another board: the hub does not dial
    NO_IDENTITY = "no_identity"  # key and certificate are lost: the hub has to be registered anew
    ACK_OVERDUE = "ack_overdue"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a message from outside was dropped. Counted by reason; its content is never logged."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    UNKNOWN_TOPIC = "unknown_topic"
    WRONG_VERSION = "wrong_version"
    FOREIGN_HUB = "foreign_hub"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    NOT_NOW = "not_now"  # a command that the hub cannot obey at present
    UNKNOWN = "unknown"  # of a kind that this program does not know, or a command read in part


class RefusedError(ValueError):
    """A message that the contract does not allow."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class FromHubRead(Struct, frozen=True):
    """A message of a hub, and the places that could not be read (`reading.ALL`: nothing)."""

    hub: str
    message: FromHub | OtherEvent
    lost: tuple[str, ...] = ()


def topic(hub: str, *parts: str) -> str:
    """Return the name of one of a hub's topics, such as `anbu/1/js-0001/event`."""
    return "/".join((f"anbu/{VERSION}", hub, *parts))


def source(hub: str) -> str:
    """Return a hub's name as a CloudEvents source."""
    return f"/anbu/hub/{hub}"


def timestamp(utc: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC with milliseconds, as CloudEvents wants."""
    try:
        moment = datetime.fromtimestamp(utc, UTC)
    except (OverflowError, OSError, ValueError):  # a clock that was never set may show any time
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(message: FromHub | FromCenter) -> bytes:
    """Return the message's bytes; `decode_from_hub` and `decode_from_center` read them."""
    return b"" if isinstance(message, Cleared) else msgspec.json.encode(message)


def read_from_hub(topic_name: str, payload: bytes) -> FromHubRead:
    """Return what a hub has published, as far as it can be read, or raise `RefusedError`.

    A call for help is never refused for its content, nor for its length.
    """
    hub, parts = _address(topic_name)
    if parts == ["event"]:
        return _event(hub, payload)
    if len(payload) > MAX_BYTES:
        raise RefusedError(Reason.OVERSIZED)
    match parts:
        case ["fault", fault] if not payload:
            return FromHubRead(hub, Cleared(fault))
        case ["fault", fault]:
            report, lost = _decode(payload, FaultReport, {"fault"})
            if report.fault != fault:
                raise RefusedError(Reason.MALFORMED)
            return FromHubRead(hub, report, lost)
        case ["telemetry"]:
            return FromHubRead(hub, _strict(payload, Telemetry))
        case ["install"]:  # half a report would prove half a thing
            return FromHubRead(hub, _strict(payload, InstallReport))
        case [name] if name in BY_TOPIC:
            return FromHubRead(hub, *_decode(payload, *BY_TOPIC[name]))
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


def decode_from_hub(topic_name: str, payload: bytes) -> tuple[str, FromHub]:
    """Return (hub, message) of what a hub has published, or raise `RefusedError`."""
    heard = read_from_hub(topic_name, payload)
    if isinstance(heard.message, OtherEvent):
        raise RefusedError(Reason.UNKNOWN)
    return heard.hub, heard.message


def decode_from_center(hub: str, topic_name: str, payload: bytes) -> FromCenter:
    """Return the message that the centre has sent to `hub`, or raise `RefusedError`.

    A command that cannot be read whole counts as unknown, and is answered so.
    """
    if len(payload) > MAX_BYTES:
        raise RefusedError(Reason.OVERSIZED)
    if topic_name == CENTER_TOPIC:
        return _strict(payload, CenterState)
    addressee, parts = _address(topic_name)
    if addressee != hub:
        raise RefusedError(Reason.FOREIGN_HUB)
    match parts:
        case ["ack"]:
            return _decode(payload, Ack, {"event", "alarm", "stage"})[0]
        case ["cmd"]:
            command, lost = _decode(payload, Command, {"id"})
            return replace(command, kind=CommandKind.of(border.OTHER)) if lost else command
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


def _address(topic_name: str) -> tuple[str, list[str]]:
    match topic_name.split("/"):
        case ["anbu", version, hub, *parts] if hub and parts:
            if version != str(VERSION):
                raise RefusedError(Reason.WRONG_VERSION)
            return hub, parts
        case _:
            raise RefusedError(Reason.UNKNOWN_TOPIC)


def _event(hub: str, payload: bytes) -> FromHubRead:
    """Read an event; a call that names another hub is the hub's on whose topic it came."""
    if len(payload) > MAX_BYTES:
        event, lost = reading.read_torn(source(hub), payload[:MAX_BYTES])
    else:
        event, lost = reading.read(source(hub), payload)
    if event.source == source(hub):
        return FromHubRead(hub, event, lost)
    if not isinstance(event, AlarmEvent):
        raise RefusedError(Reason.FOREIGN_HUB)
    return FromHubRead(hub, replace(event, source=source(hub)), (*lost, "source"))


def _strict(payload: bytes, shape: type[M]) -> M:
    try:
        return msgspec.json.decode(payload, type=shape)
    except NOT_READ as error:
        raise RefusedError(Reason.MALFORMED) from error


def _decode(
    payload: bytes, shape: type[S], essential: Collection[str]
) -> tuple[S, tuple[str, ...]]:
    """Read a message whole if possible, else the readable parts, with the places that are not."""
    try:
        return msgspec.json.decode(payload, type=shape), ()
    except NOT_READ:
        parsed = _strict(payload, object)
    try:
        return border.read(parsed, shape, essential)
    except border.UnreadableError as error:
        raise RefusedError(Reason.MALFORMED) from error
