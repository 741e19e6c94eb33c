"""Strategies for every message that the contract allows, made from the structs themselves."""

from collections.abc import Callable

import msgspec
from hypothesis import strategies as st
from msgspec import Struct, inspect
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import (
    AlarmEvent,
    AnnouncementEvent,
    CareEvent,
    CheckInEvent,
    Cleared,
    FaultReport,
    FromHub,
    ReportEvent,
)

INT = 2**63
anything = st.SearchStrategy[object]


def messages(shape: type[Struct]) -> anything:
    """Messages of one shape."""
    return _of(inspect.type_info(shape))


def fitted(hub: str, message: FromHub) -> tuple[str, FromHub]:
    """Return the topic of the message, and the message as that topic requires it."""
    match message:
        case AlarmEvent(data=data):
            kind = f"anbu.alarm.{data.what}"
            data = replace(data, alarm=data.alarm or "a")
            named = replace(message, id=message.id or "e", data=data)
            return "event", replace(named, source=wire.source(hub), type=kind)
        case ReportEvent():
            kind, ident = f"anbu.report.{message.data.report}", message.id or "e"
            return "event", replace(message, id=ident, source=wire.source(hub), type=kind)
        case CheckInEvent():
            kind, ident = f"anbu.checkin.{message.data.result}", message.id or "e"
            return "event", replace(message, id=ident, source=wire.source(hub), type=kind)
        case CareEvent():
            kind, ident = f"anbu.care.{message.data.care}", message.id or "e"
            return "event", replace(message, id=ident, source=wire.source(hub), type=kind)
        case AnnouncementEvent():
            kind, ident = f"anbu.announcement.{message.data.outcome}", message.id or "e"
            return "event", replace(message, id=ident, source=wire.source(hub), type=kind)
        case FaultReport() | Cleared():
            fault = message.fault.replace("/", "-")
            return f"fault/{fault}", replace(message, fault=fault)
        case _:
            name = type(message).__name__
            return {"HubState": "state", "InstallReport": "install"}.get(
                name, name.lower()
            ), message


def _of(kind: inspect.Type) -> anything:
    found = MAKE.get(type(kind))
    assert found, kind
    return found(kind)


def _int(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.IntType)
    low = -INT if kind.ge is None else kind.ge
    high = (2 * INT if kind.lt is None else kind.lt) - 1
    return st.integers(low, high if kind.le is None else kind.le)


def _float(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.FloatType)
    return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)


def _enum(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.EnumType)
    return st.sampled_from(list(kind.cls))


def _struct(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.StructType)
    fields = {f.name: _of(f.type) for f in kind.fields}
    return st.fixed_dictionaries(fields).map(lambda values: kind.cls(**values))


def _union(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.UnionType)
    return st.one_of([_of(each) for each in kind.types])


def _tuple(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.VarTupleType)
    return st.lists(_of(kind.item_type), max_size=3).map(tuple)


def _dict(kind: inspect.Type) -> anything:
    assert isinstance(kind, inspect.DictType)
    return st.dictionaries(st.text(max_size=9), _of(kind.value_type), max_size=3)


MAKE: dict[type[inspect.Type], Callable[[inspect.Type], anything]] = {
    inspect.StrType: lambda _: st.text(max_size=20),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.FloatType: _float,
    inspect.IntType: _int,
    inspect.EnumType: _enum,
    inspect.StructType: _struct,
    inspect.VarTupleType: _tuple,
    inspect.DictType: _dict,
    inspect.UnionType: _union,
    inspect.NoneType: lambda _: st.none(),
}


def packs(value: object) -> bool:
    """Whether the outbox's snapshot can hold `value`."""
    return bool(msgspec.msgpack.encode(value))
