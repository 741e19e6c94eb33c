"""The findings of `anbu doctor`, `anbu models` and `anbu voice check`, as data."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How serious a finding is. Only BAD makes the exit code 1."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


MARKS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.BAD: "✗"}


class Finding(Struct, frozen=True):
    """One finding. `check` and `code` are the key of its sentence, `values` fill it in."""

    check: str
    verdict: Verdict
    code: str
    values: dict[str, str] = {}


def good(check: str, code: str = "good", **values: object) -> Finding:
    """Return a finding that says that `check` works."""
    return _finding(check, Verdict.GOOD, code, values)


def note(check: str, code: str, **values: object) -> Finding:
    """Return a finding that the installer should know of, but that need not be a mistake."""
    return _finding(check, Verdict.NOTE, code, values)


def bad(check: str, code: str, **values: object) -> Finding:
    """Return a finding of something that must be mended."""
    return _finding(check, Verdict.BAD, code, values)


def _finding(check: str, verdict: Verdict, code: str, values: dict[str, object]) -> Finding:
    return Finding(check, verdict, code, {key: str(value) for key, value in values.items()})
