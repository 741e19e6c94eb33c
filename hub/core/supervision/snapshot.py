"""The snapshot of a home, read as far as it can be; each alarm and delivery is read by itself.

    whole --> as it is | parsed --> part by part, each alarm by itself | torn --> the fields found

An older program reads the snapshot of a newer one, and the other way round. What could not be read
is a fault until the next start; the outbox keeps its bytes aside.
"""

from typing import TypeVar, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import border
from hub.contract.messages import FaultKind
from hub.core.model.activity import FRESH, NEVER, STEP_S, House
from hub.core.model.rules import Rules
from hub.core.model.state import FORMAT, Fault, HomeState, Step
from hub.core.supervision import faults

T = TypeVar("T")
S = TypeVar("S", bound=Struct)
FAULT = f"{faults.HUB}:{FaultKind.SNAPSHOT}"
ESSENTIAL = frozenset({"id"})  # of an alarm, of a delivery, of an announcement
BYTES = "bytes"  # stands in `lost` where the bytes are torn
LONGEST_S = 1e8  # three years: no hub runs, and no quiet lasts, as long
LATEST_UTC = 1e10  # seconds since 1970: three hundred years
LONGEST = {"utc": LATEST_UTC, "local": LATEST_UTC, "s": -2 * NEVER}  # by the end of a field's name
MOST = 2**53  # whole numbers are exact up to here in the JSON of any program
ACTIVE, STEPS = "active_at", "steps"
NAMED = 200  # characters of the fault's detail
NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)
FIELDS = tuple(field.name for field in msgspec.structs.fields(HomeState))
# MessagePack: first byte -> bytes of a length that follows, bytes of a value, values that follow
SIZES = {
    0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4,
}  # fmt: skip
WIDTHS = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
COLLECTIONS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}  # arrays and maps
LIST, LISTS = 0x9, (0xDC, 0xDD)
EXTENSIONS = (0xC7, 0xC8, 0xC9)


class Kept(Struct, frozen=True):
    """What was read of a snapshot, and the places that could not be read."""

    state: HomeState
    lost: tuple[str, ...] = ()


def decode(raw: bytes | None) -> Kept:
    """Read a snapshot; None, of a new hub, is an empty home. Never raises."""
    if raw is None:
        return Kept(HomeState())
    kept = _read(raw)
    if kept.state.format != FORMAT:  # a newer format, read as far as this program knows it
        told = (*kept.lost, f"format {kept.state.format}")
        kept = Kept(replace(kept.state, format=FORMAT), told)
    return _plausible(kept)


def with_fault(state: HomeState, lost: tuple[str, ...]) -> HomeState:
    """Return the state with the fault that it was not read whole, dated at its start."""
    if not lost:
        return state
    detail = ", ".join(lost)[:NAMED]
    fault = Fault(FaultKind.SNAPSHOT, faults.HUB, 0.0, synced=False, detail=detail)
    return replace(state, faults={**state.faults, FAULT: fault})


def tell_start(state: HomeState, at: float, rules: Rules) -> Step:
    """Report the fault at the start that found it; end it at the next start."""
    fault = state.faults.get(FAULT)
    if fault is None:
        return state, []
    if fault.since_utc:
        return faults.mend(state, FaultKind.SNAPSHOT, faults.HUB, at, rules)
    others = {name: one for name, one in state.faults.items() if name != FAULT}
    state = replace(state, faults=others)
    return faults.fail(state, FaultKind.SNAPSHOT, faults.HUB, at, rules, fault.detail)


def _read(raw: bytes) -> Kept:
    try:
        return Kept(msgspec.msgpack.decode(raw, type=HomeState))
    except NOT_READ:
        pass
    try:
        parsed: object = msgspec.msgpack.decode(raw)
    except NOT_READ:
        parsed = None
    if isinstance(parsed, dict):
        return Kept(*border.read(parsed, HomeState, ESSENTIAL))
    state, lost = border.read(_fields_in(raw), HomeState, ESSENTIAL)
    return Kept(state, (BYTES, *lost))


def _plausible(kept: Kept) -> Kept:
    """Drop what no clock could show and nobody could have counted, part by part."""
    lost: list[str] = []
    state = replace(kept.state, habits=FRESH)  # snapshots of this release have none
    state = replace(_bounded(state, "", lost), habits=kept.state.habits)
    house, care = _dated(state.house, "house.", lost), _dated(state.care, "care.", lost)
    vitals = _dated(state.vitals, "vitals.", lost)
    if f"house.{ACTIVE}" in lost:  # by it the other times are moved into this boot
        house = House()
    return Kept(replace(state, house=house, care=care, vitals=vitals), (*kept.lost, *lost))


def _bounded(value: T, place: str, lost: list[str]) -> T:
    """Return `value` with 0 in place of each number that is too large to be a count."""
    bounded: object = value
    match value:
        case bool():
            pass
        case int() if not 0 <= value < MOST:
            lost.append(place)
            bounded = 0
        case Struct():
            parts = {f: getattr(value, f) for f in value.__struct_fields__}
            within = f"{place}." if place else ""
            bounded = replace(value, **{f: _bounded(v, within + f, lost) for f, v in parts.items()})
        case tuple():
            bounded = tuple(_bounded(v, f"{place}[{n}]", lost) for n, v in enumerate(value))
        case dict():
            bounded = {k: _bounded(v, f"{place}[{k}]", lost) for k, v in value.items()}
        case _:
            pass
    return cast("T", bounded)


def _dated(part: S, place: str, lost: list[str]) -> S:
    """Return `part` with defaults for fields whose time is odd; of a dict only odd items go."""
    sound: dict[str, object] = {}
    for field in msgspec.structs.fields(type(part)):
        value = getattr(part, field.name)
        if isinstance(value, dict):
            odd = [key for key, one in value.items() if _is_odd(one, field.name)]
            lost += [f"{place}{field.name}[{key}]" for key in odd]
            sound[field.name] = {key: one for key, one in value.items() if key not in odd}
        elif _is_odd(value, field.name):
            lost.append(place + field.name)
        else:
            sound[field.name] = value
    return type(part)(**sound)


def _is_odd(value: object, name: str) -> bool:
    """Whether a time stands in `value` that no clock could show, or a span that none can last."""
    match value:
        case float():
            longest = LONGEST.get(name.rpartition("_")[2], LONGEST_S)
            never = value <= NEVER  # older programs wrote an infinity
            return not never and not abs(value) < longest  # and is no NaN
        case int():
            return name == STEPS and value * STEP_S >= LONGEST_S
        case Struct():
            return any(_is_odd(getattr(value, f), f) for f in value.__struct_fields__)
        case tuple():
            return any(_is_odd(one, name) for one in value)
        case _:
            return False


def _fields_in(raw: bytes) -> dict[str, object]:
    """Return the fields that stand whole in torn bytes: each begins with its name."""
    found: dict[str, object] = {}
    for name in FIELDS:
        key = bytes([0xA0 | len(name)]) + name.encode()
        at = raw.find(key)
        while at >= 0 and name not in found:
            value = _value(raw, at + len(key))
            if value is not None:
                found[name] = value
            at = raw.find(key, at + 1)
    return found


def _value(raw: bytes, at: int) -> object:
    """Return the value that begins at `at`; of a damaged list, the items before the damage."""
    try:
        return msgspec.msgpack.decode(raw[at : _end(raw, at)])
    except (*NOT_READ, IndexError):
        pass
    return _items(raw, at) or None


def _items(raw: bytes, at: int) -> list[object]:
    items: list[object] = []
    try:
        if not (raw[at] >> 4 == LIST or raw[at] in LISTS):
            return items
        at += 1 + _extent(raw, at + 1, raw[at])[1]
        while True:  # until the damage: a list without any was read whole
            end = _end(raw, at)
            items.append(msgspec.msgpack.decode(raw[at:end]))
            at = end
    except (*NOT_READ, IndexError):
        pass
    return items


def _end(raw: bytes, at: int) -> int:
    """Return where the value at `at` ends; raise `IndexError` where the bytes end before it."""
    pending = 1
    while pending:
        head, at = raw[at], at + 1
        follow, skip = _extent(raw, at, head)
        pending += follow - 1
        at += skip
    if at > len(raw):
        raise IndexError(at)
    return at


def _extent(raw: bytes, at: int, head: int) -> tuple[int, int]:
    """Return how many values, and how many bytes, follow a value's first byte."""
    if head in SIZES:
        size = SIZES[head]
        tail = 1 if head in EXTENSIONS else 0
        return 0, size + tail + int.from_bytes(raw[at : at + size])
    if head in COLLECTIONS:
        size, each = COLLECTIONS[head]
        return each * int.from_bytes(raw[at : at + size]), size
    match head >> 4:
        case 0x8:
            return 2 * (head & 0x0F), 0
        case 0x9:
            return head & 0x0F, 0
        case 0xA | 0xB:
            return 0, head & 0x1F
        case _:
            return 0, WIDTHS.get(head, 0)
