"""Reads a TOML file into typed settings, or reports all mistakes in it at once, each with its line.

    bytes -> text -> tomllib -> walk along the structs -> frozen structs | SettingsError(mistakes)

Only the structs say what is allowed: types, defaults, bounds and forms.
"""

import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum, StrEnum
from types import MappingProxyType, UnionType
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct

from hub.contract.addresses import FlawError
from hub.contract.forms import checked, composed, form_of
from hub.shared.decoding import KOREAN_WINDOWS, UndecodableError, decode
from hub.shared.toml_lines import Path, line_of, locate

LARGEST = 2**63 - 1

_KINDS: dict[object, str] = {
    bool: "switch",
    int: "integer",
    float: "number",
    str: "text",
    dict: "table",
    **dict.fromkeys((list, tuple, set, frozenset), "list"),
}


class Problem(StrEnum):
    """What is wrong. The comment says what `allowed` of the mistake holds."""

    SYNTAX = "syntax"  # nothing: the text is no TOML
    UNKNOWN_KEY = "unknown_key"  # the keys of this table
    MISSING_KEY = "missing_key"  # the choices, where the key has choices; `detail` is its form
    WRONG_TYPE = "wrong_type"  # a code: switch integer number text list table value
    CHOICE = "choice"  # the choices
    BOUNDS = "bounds"  # bounds, such as "≥ 1"
    LENGTH = "length"  # bounds of the length
    PATTERN = "pattern"  # a regular expression, of a field that names no form
    FORM = "form"  # a `Flaw`; `detail` is the part that is wrong
    ENCODING = "encoding"  # nothing: these bytes are no text
    UNKNOWN_KIND = "unknown_kind"  # the known kinds
    DUPLICATE = "duplicate"  # nothing; `detail` is the line of the first
    TAKEN = "taken"  # nothing: the name of a device of another file
    INVALID = "invalid"  # nothing; `detail` is the text of the struct's error
    CODEPAGE = "codepage"  # nothing; only a note: `detail` is the encoding of the file


class Mistake(Struct, frozen=True):
    """One mistake. `key` is dotted and counts tables from 1: `devices[2].pin` is in the second."""

    file: str
    line: int
    key: str
    problem: Problem
    allowed: tuple[str, ...] = ()
    did_you_mean: str = ""
    detail: str = ""

    def __str__(self) -> str:
        """Return it as text for a log; people get a sentence in their language."""
        return f"{self.file}:{self.line}: {self.key}: {self.problem} {', '.join(self.allowed)}"


def syntax(file: str, text: str, error: Exception) -> Mistake:
    """Return the mistake for `error`: `text` is not TOML, or cannot be encoded in UTF-8."""
    match error:
        case UnicodeEncodeError(start=start):
            line = text.count("\n", 0, start) + 1
        case _:
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) if found else text.count("\n") + 1
    return Mistake(file, line, "", Problem.SYNTAX, detail=str(error))


def close_to(word: object, allowed: Iterable[str]) -> str:
    """Return the allowed word that was probably meant by `word`, or ""."""
    import difflib  # noqa: PLC0415 - 0.2 MB that a hub without a mistake does not need

    close = difflib.get_close_matches(str(word)[:80], list(allowed), n=1)
    return close[0] if close else ""


def plain(hint: object) -> tuple[object, Meta]:
    """Return a type without `| None` and `Annotated`, and its bounds."""
    if get_origin(hint) in {Union, UnionType}:
        members = [member for member in get_args(hint) if member is not type(None)]
        return plain(members[0]) if len(members) == 1 else (hint, Meta())
    if get_origin(hint) is Annotated:
        bare, *marks = get_args(hint)
        return bare, next((mark for mark in marks if isinstance(mark, Meta)), Meta())
    return hint, Meta()


def wrong(value: object, hint: object) -> tuple[Problem, tuple[str, ...]]:
    """Return why `msgspec` has refused `value` for the type `hint`, and what is allowed."""
    shape, meta = plain(hint)
    if allowed := choices(shape):
        return Problem.CHOICE, allowed
    kind = _kind(shape)
    match kind, value:
        case ("integer" | "number", bool()):
            return Problem.WRONG_TYPE, (kind,)
        case ("integer", int()) | ("number", int() | float()) if finite(value):
            return Problem.BOUNDS, _bounds(meta) or (f"≤ {LARGEST}",)
        case ("text", str()) if meta.pattern and not re.search(meta.pattern, str(value)):
            form = form_of(meta)
            return (Problem.FORM, (form,)) if form else (Problem.PATTERN, (meta.pattern,))
        case ("text", str()) | ("list", list() | tuple()) | ("table", dict()):
            return Problem.LENGTH, lengths(meta)
        case _:
            return Problem.WRONG_TYPE, (kind,)


def choices(hint: object) -> tuple[str, ...]:
    """Return the values that an enum or a literal allows; () for all other types."""
    shape, _ = plain(hint)
    if isinstance(shape, type) and issubclass(shape, Enum):
        return tuple(str(member.value) for member in shape)
    return tuple(map(str, get_args(shape))) if get_origin(shape) is Literal else ()


def finite(value: object) -> bool:
    """Whether `value` is anything but a float that is infinite or not a number."""
    return not isinstance(value, float) or math.isfinite(value)


def lengths(meta: Meta) -> tuple[str, ...]:
    """Return the bounds of a length as text, such as "≤ 8"."""
    return _written((("≥", meta.min_length), ("≤", meta.max_length)))


def _bounds(meta: Meta) -> tuple[str, ...]:
    return _written((("≥", meta.ge), (">", meta.gt), ("≤", meta.le), ("<", meta.lt)))


def _written(bounds: Iterable[tuple[str, float | None]]) -> tuple[str, ...]:
    return tuple(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


def _kind(shape: object) -> str:
    origin = get_origin(shape) or shape
    if isinstance(origin, type) and issubclass(origin, Struct):
        return "table"
    return _KINDS.get(origin, "value")


T = TypeVar("T", bound=Struct)
Noted = Callable[[Mistake], object]  # called with notes: no mistakes, but people should know them


def unnoted(_: Mistake) -> None:
    """Ignore a note."""


def noted_by(args: object) -> Noted:
    """Return the function for notes that the command line has set, or one that ignores them."""
    found: Noted = getattr(args, "noted", unnoted)
    return found


class Kinds(Struct, frozen=True):
    """An array of tables in which each table's key `kind` decides its shape.

    `find` returns a kind's struct or None; `names` are the known kinds. No two tables may have the
    same value under a key of `unique`.
    """

    find: Callable[[str], type[Struct] | None]
    names: tuple[str, ...]
    unique: tuple[str, ...] = ("name",)


class SettingsError(ValueError):
    """A file that is not as its struct asks; `mistakes` are all of its mistakes."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class _Walk(Struct, frozen=True):
    file: str
    lines: dict[Path, int]
    kinds: Mapping[str, Kinds]
    mistakes: list[Mistake]

    def note(
        self, path: Path, problem: Problem, allowed: tuple[str, ...] = (), **more: str
    ) -> object:
        line = line_of(self.lines, path)
        mistake = Mistake(self.file, line, _dotted(path), problem, allowed, **more)
        self.mistakes.append(mistake)
        return UNSET


def text_of(data: bytes, filename: str, noted: Noted = unnoted) -> str:
    """Decode a file that people edit; `noted` is called for CP949. Raises `SettingsError`."""
    try:
        decoded = decode(data)
    except UndecodableError as error:
        raise SettingsError((Mistake(filename, error.line, "", Problem.ENCODING),)) from error
    if decoded.encoding == KOREAN_WINDOWS:
        noted(Mistake(filename, 1, "", Problem.CODEPAGE, detail=KOREAN_WINDOWS.upper()))
    return decoded.text


def read(
    text: str | bytes,
    filename: str,
    shape: type[T],
    *,
    kinds: Mapping[str, Kinds] = MappingProxyType({}),
    noted: Noted = unnoted,
) -> T:
    """Return the settings in a file's text or bytes. Raises `SettingsError` with all mistakes.

    `filename` is for the mistakes only; no file is opened. `kinds` maps the dotted key of an array
    of tables, such as `"devices"`, to its `Kinds`. `noted` is called for a file that could be read,
    but should be saved in UTF-8.
    """
    if isinstance(text, bytes):
        text = text_of(text, filename, noted)
    try:
        text.encode()
        tables, lines = tomllib.loads(text), locate(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError((syntax(filename, text, error),)) from error
    walk = _Walk(filename, lines, kinds, [])
    settings = _table(walk, (), tables, shape)
    if not isinstance(settings, shape):
        raise SettingsError(tuple(sorted(walk.mistakes, key=lambda mistake: mistake.line)))
    return settings


def refuse(text: str, filename: str, path: Path, flaw: FlawError | str) -> SettingsError:
    """Return the error for the value at `path`, which proved wrong after the file was read.

    `flaw` says which form the value breaks, or is the text of a library that cannot use it.
    """
    line, key = line_of(locate(text), path), _dotted(path)
    if isinstance(flaw, str):
        return SettingsError((Mistake(filename, line, key, Problem.INVALID, detail=flaw),))
    form = (flaw.flaw,)
    return SettingsError((Mistake(filename, line, key, Problem.FORM, form, detail=flaw.detail),))


def _value(walk: _Walk, path: Path, value: object, hint: object) -> object:
    """Return `value` converted to the type `hint`, or UNSET after noting a mistake."""
    shape, meta = plain(hint)
    origin, args = get_origin(shape) or shape, get_args(shape)
    match value:
        case dict() if isinstance(origin, type) and issubclass(origin, Struct):
            return _table(walk, path, value, origin)
        case dict() if origin is dict and args:
            made = {
                composed(key): _value(walk, (*path, key), item, args[1])
                for key, item in value.items()
            }
            return _whole(walk, path, made, made.values(), meta)
        case list() if (kinds := walk.kinds.get(_dotted(path))) is not None:
            items = _of_kinds(walk, path, value, kinds)
        case list() if (origin is list and args) or (origin is tuple and args[1:] == (...,)):
            items = [_value(walk, (*path, n), item, args[0]) for n, item in enumerate(value)]
        case _:
            return _leaf(walk, path, value, hint)
    return _whole(walk, path, items if origin is list else tuple(items), items, meta)


def _leaf(walk: _Walk, path: Path, value: object, hint: object) -> object:
    small = not isinstance(value, int) or abs(value) <= LARGEST
    try:
        if isinstance(value, str):
            value = checked(form_of(plain(hint)[1]), value)
        if small and finite(value):
            return msgspec.convert(value, hint)
    except FlawError as error:
        return walk.note(path, Problem.FORM, (error.flaw,), detail=error.detail)
    except msgspec.ValidationError:
        pass
    problem, allowed = wrong(value, hint)
    meant = close_to(value, allowed) if problem is Problem.CHOICE else ""
    return walk.note(path, problem, allowed, did_you_mean=meant)


def _whole(walk: _Walk, path: Path, made: object, items: Collection[object], meta: Meta) -> object:
    most = len(items) if meta.max_length is None else meta.max_length
    if not (meta.min_length or 0) <= len(items) <= most:
        return walk.note(path, Problem.LENGTH, lengths(meta))
    return UNSET if UNSET in items else made


def _table(
    walk: _Walk, path: Path, table: Mapping[str, object], shape: type[Struct], kind: str = ""
) -> object:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    allowed = (kind, *fields) if kind else tuple(fields)
    before = len(walk.mistakes)
    for key in (key for key in table if key not in allowed):
        meant = close_to(key, allowed)
        walk.note((*path, key), Problem.UNKNOWN_KEY, allowed, did_you_mean=meant)
    values = {}
    for key, field in fields.items():
        if key in table:
            values[field.name] = _value(walk, (*path, key), table[key], field.type)
        elif field.required:
            form = form_of(plain(field.type)[1]) or ""
            walk.note((*path, key), Problem.MISSING_KEY, choices(field.type), detail=form)
    return _made(walk, path, shape, values) if len(walk.mistakes) == before else UNSET


def _made(walk: _Walk, path: Path, shape: type[Struct], values: dict[str, object]) -> object:
    try:
        return shape(**values)
    except FlawError as error:  # the struct's own `__post_init__`, with a sentence
        return walk.note(path, Problem.FORM, (error.flaw,), detail=error.detail)
    except (TypeError, ValueError) as error:
        return walk.note(path, Problem.INVALID, detail=str(error))


def _of_kinds(walk: _Walk, path: Path, tables: list[object], kinds: Kinds) -> list[object]:
    seen: dict[tuple[str, object], Path] = {}
    items = []
    for n, table in enumerate(tables):
        here = (*path, n)
        if isinstance(table, dict):
            items.append(_of_kind(walk, here, table, kinds))
            _unique(walk, here, table, kinds.unique, seen)
        else:
            items.append(walk.note(here, Problem.WRONG_TYPE, ("table",)))
    return items


def _of_kind(walk: _Walk, path: Path, table: dict[str, object], kinds: Kinds) -> object:
    kind, here = table.get("kind"), (*path, "kind")
    if kind is None:
        return walk.note(here, Problem.MISSING_KEY, kinds.names)
    shape = kinds.find(kind) if isinstance(kind, str) else None
    if shape is None:
        meant = close_to(kind, kinds.names)
        return walk.note(here, Problem.UNKNOWN_KIND, kinds.names, did_you_mean=meant)
    return _table(walk, path, table, shape, "kind")


def _unique(
    walk: _Walk,
    path: Path,
    table: dict[str, object],
    keys: tuple[str, ...],
    seen: dict[tuple[str, object], Path],
) -> None:
    for key in keys:
        value = table.get(key)
        if not isinstance(value, str | int):
            continue
        first = seen.setdefault((key, value), (*path, key))
        if first != (*path, key):
            line = line_of(walk.lines, first)
            walk.note((*path, key), Problem.DUPLICATE, detail=str(line))


def _dotted(path: Path) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
