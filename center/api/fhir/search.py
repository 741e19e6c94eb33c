"""A search for Observations, from the query of a request. Pure.

`subject` (or `patient`), `code`, `date` with a prefix, `_since` or `_lastUpdated`, `_count`. What
FHIR knows besides is not searched by, and is not in the answer's own address.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from center.api.fhir.observations import ANCHORS, kinds_of
from center.domain import times
from hub.contract.messages import VitalKind

COUNT, COUNT_MAX = 100, 500
PREFIXES = ("eq", "ge", "gt", "le", "lt")
_DATE = re.compile(r"(eq|ge|gt|le|lt|[a-z]{2})?(\d{4}-\d{2}-\d{2})(T.+)?")
LATEST = 2.0**33  # UTC seconds; far in the future


class Parameter(StrEnum):
    """What can be asked for, as it stands in an address."""

    SUBJECT = "subject"
    PATIENT = "patient"  # the same
    CODE = "code"
    DATE = "date"
    SINCE = "_since"
    UPDATED = "_lastUpdated"  # the same, with a prefix
    COUNT = "_count"
    CURSOR = "_cursor"  # our own: where a page begins


class WrongError(ValueError):
    """A parameter that was not understood; its name is the text."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter.value)


class Cursor(Struct, frozen=True, array_like=True):
    """The last reading of the page before; the next page begins after it."""

    utc: float
    kind: str
    device: str


class Search(Struct, frozen=True):
    """What is asked for; times are UTC seconds, the end is not included."""

    subject: str
    kinds: tuple[VitalKind, ...] = ANCHORS
    from_utc: float = 0.0
    until_utc: float = LATEST
    since_utc: float = 0.0  # stored since then
    count: int = COUNT
    after: Cursor | None = None


def search_of(query: Iterable[tuple[str, str]]) -> Search:
    """Return the search that a query describes, or raise `WrongError`."""
    given: dict[str, list[str]] = {}
    for name, value in query:
        given.setdefault(name, []).append(value)
    of = {parameter: given.get(parameter, []) for parameter in Parameter}
    subjects = {_subject(one) for one in (*of[Parameter.SUBJECT], *of[Parameter.PATIENT])}
    if len(subjects) != 1:
        raise WrongError(Parameter.SUBJECT)
    from_utc, until_utc = _span(of[Parameter.DATE], Parameter.DATE)
    since = (*of[Parameter.UPDATED], *(f"ge{value}" for value in of[Parameter.SINCE]))
    return Search(
        subject=subjects.pop(),
        kinds=_kinds(of[Parameter.CODE]),
        from_utc=from_utc,
        until_utc=until_utc,
        since_utc=_span(since, Parameter.SINCE)[0],
        count=_count(of[Parameter.COUNT]),
        after=_cursor(of[Parameter.CURSOR]),
    )


def cursor_text(cursor: Cursor) -> str:
    """Write a cursor as it stands in an address; `search_of` reads it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _subject(value: str) -> str:
    return value.removeprefix("Patient/").rpartition("|")[2]


def _kinds(values: list[str]) -> tuple[VitalKind, ...]:
    if not values:
        return ANCHORS
    wanted = ANCHORS
    for value in values:  # repeated: all of them; with commas: any of them
        pairs = [one.rpartition("|")[::2] for one in value.split(",")]
        found = kinds_of(pairs)
        wanted = tuple(kind for kind in wanted if kind in found)
    return wanted


def _span(values: Sequence[str], name: Parameter) -> tuple[float, float]:
    """Return (from, until) that all of some values with prefixes allow."""
    begin, end = 0.0, LATEST
    for value in values:
        prefix, first, last = _moments(value, name)
        if prefix in {"eq", "ge"}:
            begin = max(begin, first)
        if prefix == "gt":
            begin = max(begin, last)
        if prefix in {"eq", "le"}:
            end = min(end, last)
        if prefix == "lt":
            end = min(end, first)
    return begin, end


def _moments(value: str, name: Parameter) -> tuple[str, float, float]:
    """Return (prefix, begin, end) of a value; a date is a day of Korea."""
    found = _DATE.fullmatch(value.replace(" ", "+"))  # a `+` in an address is a blank
    if found is None or (found[1] or "eq") not in PREFIXES:
        raise WrongError(name)
    prefix, day, clock = found[1] or "eq", found[2], found[3]
    start = times.day_start(day)
    if start is None:
        raise WrongError(name)
    if clock is None:
        return prefix, start, start + times.DAY_S
    try:
        moment = datetime.fromisoformat(day + clock)
    except ValueError as error:
        raise WrongError(name) from error
    if moment.tzinfo is None:
        raise WrongError(name)  # FHIR asks for a zone with a time
    utc = moment.timestamp()
    return prefix, utc, utc + (1.0 if not moment.microsecond else 0.001)


def _count(values: list[str]) -> int:
    if not values:
        return COUNT
    value = values[-1]
    if not (value.isascii() and value.isdecimal() and int(value[:9]) > 0):
        raise WrongError(Parameter.COUNT)
    return min(int(value[:9]), COUNT_MAX)


def _cursor(values: list[str]) -> Cursor | None:
    if not values:
        return None
    try:
        raw = base64.urlsafe_b64decode(values[-1] + "=" * (-len(values[-1]) % 4))
        return msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise WrongError(Parameter.CURSOR) from error
