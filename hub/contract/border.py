"""Lenient reading of what two releases may exchange: the wire, the snapshot, the database.

A newer program may write a value that this one does not know, or another type. Neither may hide the
rest. So `read` makes a struct of what can be read and names what cannot. A value of an `Open` enum
that is not listed is kept as it came. Only a missing essential field is an error.
"""

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from typing import Self, TypeVar, cast, get_args

import msgspec
from msgspec import NODEFAULT, Struct, inspect

S = TypeVar("S", bound=Struct)

OTHER = "other"
LONGEST = 64  # characters of a value: no release has a longer one
WHOLE: frozenset[str] = frozenset()
EMPTY: dict[type[inspect.Type], Callable[[], object]] = {
    inspect.StrType: str,
    inspect.FloatType: float,
    inspect.IntType: int,
    inspect.BoolType: bool,
    inspect.VarTupleType: tuple,
    inspect.DictType: dict,
}


class Open(StrEnum):
    """An enum of which newer programs may know more values.

    Settings, forms and requests accept only listed values. `read` accepts any value: one that is
    not listed is kept as it came, equals no listed value, is written back as it was, and is known
    again to a program that lists it.
    """

    @classmethod
    def of(cls, value: str) -> Self:
        """Return the member of that value, or a stand-in for one that is not listed."""
        known = cls._value2member_map_.get(value)
        if isinstance(known, cls):
            return known
        fit = 0 < len(value) <= LONGEST and value.isprintable()
        other = str.__new__(cls, value if fit else OTHER)
        other._name_, other._value_ = OTHER.upper(), value if fit else OTHER
        return other

    @property
    def is_known(self) -> bool:
        """Whether this program lists the value."""
        return self.value in type(self)._value2member_map_

    @property
    def plain(self) -> Self:
        """The value itself, or `other` in place of one that is not listed."""
        return self if self.is_known else type(self).of(OTHER)


class UnreadableError(ValueError):
    """Nothing of a value can be read, or an essential part of it cannot."""


def read(
    raw: object, shape: type[S], essential: Collection[str] = WHOLE
) -> tuple[S, tuple[str, ...]]:
    """Make a `shape` of decoded JSON, MessagePack or a database's row, as far as it can be read.

    Return it, and the places that could not be read, such as `data.evidence`: they have the
    default, or an empty value (`""`, 0, `other`). Raise `UnreadableError` where `raw` is no struct
    at all, or a field whose name is `essential` is missing or wrong.
    """
    lost: list[str] = []
    return _struct(raw, shape, "", essential, lost), tuple(lost)


def _struct(
    raw: object, shape: type[S], path: str, essential: Collection[str], lost: list[str]
) -> S:
    fields = msgspec.structs.fields(shape)
    if isinstance(raw, list) and shape.__struct_config__.array_like:
        raw = dict(zip((field.name for field in fields), raw, strict=False))
    if not isinstance(raw, dict):
        raise UnreadableError(path)
    values: dict[str, object] = {}
    for field in fields:
        place = f"{path}{field.name}"
        required = field.default is NODEFAULT and field.default_factory is NODEFAULT
        if field.name in raw:
            try:
                values[field.name] = _value(raw[field.name], field.type, place, essential, lost)
                continue
            except UnreadableError:
                lost.append(place)
        elif required:
            lost.append(place)
        if field.name in essential and place in lost:
            raise UnreadableError(place)
        if required:
            values[field.name] = _nothing(field.type, place)
    return shape(**values)


def _value(
    raw: object, hint: object, path: str, essential: Collection[str], lost: list[str]
) -> object:
    """Return what `hint` asks for, whole if possible, else part by part."""
    try:
        return cast("object", msgspec.convert(raw, hint))
    except (msgspec.ValidationError, RecursionError):
        pass
    match inspect.type_info(hint):
        case inspect.EnumType(cls=listed) if issubclass(listed, Open) and isinstance(raw, str):
            return listed.of(raw)
        case inspect.StructType(cls=shape):
            return _struct(raw, shape, f"{path}.", essential, lost)
        case inspect.UnionType(types=types):
            return _one_of(raw, types, path, essential, lost)
        case inspect.VarTupleType() if isinstance(raw, list):
            item = get_args(hint)[0]
            return tuple(_items(enumerate(raw), item, path, essential, lost).values())
        case inspect.DictType() if isinstance(raw, dict):
            item = get_args(hint)[1]
            pairs = ((key, one) for key, one in raw.items() if isinstance(key, str))
            return _items(pairs, item, path, essential, lost)
        case _:
            raise UnreadableError(path)


def _items(
    pairs: Iterable[tuple[object, object]],
    hint: object,
    path: str,
    essential: Collection[str],
    lost: list[str],
) -> dict[object, object]:
    """Read each item by itself, so that an unreadable one does not hide the others."""
    found: dict[object, object] = {}
    for key, raw in pairs:
        place = f"{path}[{key}]"
        try:
            found[key] = _value(raw, hint, place, essential, lost)
        except UnreadableError:
            lost.append(place)
    return found


def _one_of(
    raw: object, types: tuple[inspect.Type, ...], path: str, essential: Collection[str],
    lost: list[str],
) -> object:  # fmt: skip
    """Return the struct of a union that the tag names, or the first one for an unknown tag."""
    for enum in types:
        if isinstance(enum, inspect.EnumType) and issubclass(enum.cls, Open):
            return _value(raw, enum.cls, path, essential, lost)
    shapes = [one for one in types if isinstance(one, inspect.StructType)]
    if not isinstance(raw, dict) or not shapes:
        raise UnreadableError(path)
    for one in shapes:
        if one.tag_field is None or raw.get(one.tag_field) == one.tag:
            return _struct(raw, one.cls, f"{path}.", essential, lost)
    if any(isinstance(one, inspect.NoneType) for one in types):
        raise UnreadableError(path)
    lost.append(path)
    return _nothing(shapes[0].cls, path)


def _nothing(hint: object, path: str) -> object:
    """Return what stands for a missing value; for a union its first struct, which says least."""
    info = inspect.type_info(hint)
    empty = EMPTY.get(type(info))
    if empty:
        return empty()
    match info:
        case inspect.EnumType(cls=listed) if issubclass(listed, Open):
            return listed.of(OTHER)
        case inspect.StructType(cls=shape):
            return _struct({}, shape, path, WHOLE, [])
        case inspect.UnionType(types=types):
            if any(isinstance(one, inspect.NoneType) for one in types):
                return None
            shapes = [one.cls for one in types if isinstance(one, inspect.StructType)]
            return _nothing(shapes[0] if shapes else object, path)
        case _:
            raise UnreadableError(path)
