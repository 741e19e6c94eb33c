"""An event of a hub, as far as it can be read: a call for help is never dropped for a flaw in it.

    whole --> as it is | parsed --> field by field | torn --> the fields that can be found in it

An event that is no call, and shows it by its family, its data or its SCAIP priority, does not ring.
Everything else counts as a call: a newer hub may have kinds that this program does not know.
"""

import hashlib
import re

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import border
from hub.contract.messages import (
    AlarmEvent,
    AnnouncementEvent,
    CareEvent,
    CheckInEvent,
    Happened,
    OtherEvent,
    ReportEvent,
)
from hub.contract.scaip import What

ALL = "*"  # only fields that were found in torn bytes could be read
UNREAD = "unread-"  # the beginning of the id of an event whose own id cannot be read
CAN_WAIT = 5  # SCAIP's priority of what is no call: reports, check-ins, receipts
SHAPES: dict[str, type[Happened]] = {
    "alarm": AlarmEvent,
    "report": ReportEvent,
    "checkin": CheckInEvent,
    "care": CareEvent,
    "announcement": AnnouncementEvent,
}
KEYS: dict[str, type[Happened]] = {  # what only the data of one family has
    "alarm": AlarmEvent,
    "report": ReportEvent,
    "checkin": CheckInEvent,
    "care": CareEvent,
    "command": AnnouncementEvent,
}
OF_DATA = ("alarm", "kind", "what", "device", "place")
FOUND = re.compile(r'"(id|type|time|alarm|kind|what|device|place)"\s*:\s*"([^"\\]{1,120})"')
NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

AnyEvent = AlarmEvent | ReportEvent | CheckInEvent | CareEvent | AnnouncementEvent | OtherEvent


class _Type(Struct, frozen=True):
    type: str


def read(source: str, payload: bytes) -> tuple[AnyEvent, tuple[str, ...]]:
    """Return the event, and the places of it that could not be read. Never raises.

    `source` is the hub on whose topic it came; the broker makes sure of that.
    """
    whole = _whole(payload)
    if whole:
        return whole, ()
    try:
        raw: object = msgspec.json.decode(payload)
    except NOT_READ:
        raw = None
    if isinstance(raw, dict):
        return _degraded(source, payload, raw, ())
    return read_torn(source, payload)


def read_torn(source: str, payload: bytes) -> tuple[AnyEvent, tuple[str, ...]]:
    """Return the call that fields found in bytes which are no JSON describe; at least a call."""
    return _degraded(source, payload, _fields_in(payload), (ALL,))


def unread_call(source: str, payload: bytes) -> AlarmEvent:
    """Return the call that stands for bytes of which nothing is used."""
    return _complete(border.read({}, AlarmEvent)[0], source, payload)


def _whole(payload: bytes) -> Happened | None:
    try:
        kind = msgspec.json.decode(payload, type=_Type).type
        event = msgspec.json.decode(payload, type=SHAPES.get(_family(kind), AlarmEvent))
    except NOT_READ:
        return None
    nameless = not event.id or (isinstance(event, AlarmEvent) and not event.data.alarm)
    return None if nameless else event


def _degraded(
    source: str, payload: bytes, raw: dict[str, object], lost: tuple[str, ...]
) -> tuple[AnyEvent, tuple[str, ...]]:
    shape = _shape(raw)
    if shape is None and _can_wait(raw):
        event, more = border.read(raw, OtherEvent)
        return replace(event, id=event.id or _id_from(source, payload), source=source), lost or more
    if shape is None or shape is AlarmEvent:
        call, more = border.read(raw, AlarmEvent)
        return _complete(call, source, payload), lost or more
    told, more = border.read(raw, shape)
    foreign = told.source not in {"", source}
    ident = told.id or _id_from(source, payload)
    return replace(told, id=ident, source=told.source if foreign else source), lost or more


def _complete(call: AlarmEvent, source: str, payload: bytes) -> AlarmEvent:
    """Return a call with all that it needs to be stored; its type also says what happened."""
    ident = call.id or _id_from(source, payload)
    what = call.data.what
    if what == border.OTHER:
        what = What.of(call.type.rpartition(".")[2] or What.RAISED)
        what = what if what.is_known else What.RAISED
    data = replace(call.data, what=what, alarm=call.data.alarm or ident)
    return replace(call, id=ident, source=source, data=data)


def _id_from(source: str, payload: bytes) -> str:
    """Return an id made of the bytes, so that the same ones sent again are known."""
    return UNREAD + hashlib.sha256(source.encode() + b"\n" + payload).hexdigest()[:32]


def _family(kind: object) -> str:
    return str(kind).removeprefix("anbu.").partition(".")[0]


def _shape(raw: dict[str, object]) -> type[Happened] | None:
    """Return the type: a call where anything says so, else by its type, else by its data."""
    family, data = _family(raw.get("type")), raw.get("data")
    keys = data if isinstance(data, dict) else {}
    if family == "alarm" or "alarm" in keys:
        return AlarmEvent
    return SHAPES.get(family) or next((KEYS[key] for key in KEYS if key in keys), None)


def _can_wait(raw: dict[str, object]) -> bool:
    data = raw.get("data")
    block = data.get("scaip") if isinstance(data, dict) else None
    urgency = block.get("pri") if isinstance(block, dict) else None
    return isinstance(urgency, int) and urgency >= CAN_WAIT


def _fields_in(payload: bytes) -> dict[str, object]:
    """Return the fields found in bytes which are no JSON, placed as in an event."""
    found: dict[str, object] = {}
    for name, value in FOUND.findall(payload.decode(errors="replace")):
        if value.isprintable():
            found.setdefault(name, value)
    data = {name: found.pop(name) for name in OF_DATA if name in found}
    return {**found, "data": data}
