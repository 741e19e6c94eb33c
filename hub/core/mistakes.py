"""What can be wrong with a setting, as data: where it stands, what is wrong, what is allowed.

The sentences for people are in `hub/messages/`.
"""

import math
import re
from collections.abc import Iterable
from enum import Enum, StrEnum
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct

from hub.contract.forms import form_of

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
    """What is wrong. `allowed` of a mistake then holds what the comment says."""

    SYNTAX = "syntax"  # nothing: the text is no TOML
    UNKNOWN_KEY = "unknown_key"  # the keys of this table
    MISSING_KEY = "missing_key"  # the choices, if there are such
    WRONG_TYPE = "wrong_type"  # a code: switch integer number text list table value
    CHOICE = "choice"  # the choices
    BOUNDS = "bounds"  # bounds, such as "≥ 1"
    LENGTH = "length"  # bounds of the length
    PATTERN = "pattern"  # a regular expression, of a field that names no form
    FORM = "form"  # a `Flaw`; `detail` is the part that is wrong
    ENCODING = "encoding"  # nothing: these bytes are no text
    UNKNOWN_KIND = "unknown_kind"  # the kinds there are
    DUPLICATE = "duplicate"  # nothing; `detail` is the line of the first
    INVALID = "invalid"  # nothing; `detail` is the struct's own word
    CODEPAGE = "codepage"  # nothing; no mistake, a note: `detail` is the encoding it was read as


class Mistake(Struct, frozen=True):
    """One mistake. `key` is dotted and counts tables from 1, such as `devices[2].pin`."""

    file: str
    line: int
    key: str
    problem: Problem
    allowed: tuple[str, ...] = ()
    did_you_mean: str = ""
    detail: str = ""

    def __str__(self) -> str:
        """Say it for a log; people get a sentence in their language."""
        return f"{self.file}:{self.line}: {self.key}: {self.problem} {', '.join(self.allowed)}"


def syntax(file: str, text: str, error: Exception) -> Mistake:
    """Tell where `error` found that `text` is not TOML in UTF-8."""
    match error:
        case UnicodeEncodeError(start=start):
            line = text.count("\n", 0, start) + 1
        case _:
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) if found else text.count("\n") + 1
    return Mistake(file, line, "", Problem.SYNTAX, detail=str(error))


def close_to(word: object, allowed: Iterable[str]) -> str:
    """Give the allowed word that `word` was probably meant to be, or nothing."""
    import difflib  # noqa: PLC0415 - 0.2 MB that a hub without a mistake does not need

    close = difflib.get_close_matches(str(word)[:80], list(allowed), n=1)
    return close[0] if close else ""


def plain(hint: object) -> tuple[object, Meta]:
    """Take `| None` and `Annotated` off a type; give the bare type and its bounds."""
    if get_origin(hint) in {Union, UnionType}:
        members = [member for member in get_args(hint) if member is not type(None)]
        return plain(members[0]) if len(members) == 1 else (hint, Meta())
    if get_origin(hint) is Annotated:
        bare, *marks = get_args(hint)
        return bare, next((mark for mark in marks if isinstance(mark, Meta)), Meta())
    return hint, Meta()


def wrong(value: object, hint: object) -> tuple[Problem, tuple[str, ...]]:
    """Say why `value`, which `msgspec` has refused for `hint`, is wrong, and what is allowed."""
    shape, meta = plain(hint)
    if words := choices(shape):
        return Problem.CHOICE, words
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
    """Give the words that an enum or a literal allows; nothing for all other types."""
    shape, _ = plain(hint)
    if isinstance(shape, type) and issubclass(shape, Enum):
        return tuple(str(member.value) for member in shape)
    return tuple(map(str, get_args(shape))) if get_origin(shape) is Literal else ()


def finite(value: object) -> bool:
    """Tell whether `value` is anything but an infinite number or none at all."""
    return not isinstance(value, float) or math.isfinite(value)


def lengths(meta: Meta) -> tuple[str, ...]:
    """Write the bounds of a length."""
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
