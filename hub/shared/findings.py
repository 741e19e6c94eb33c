"""What an examination has found, as data: `anbu doctor`, `anbu models` and `anbu voice check`."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How a finding is meant. Only BAD makes the exit code 1."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


MARKS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.BAD: "✗"}


class Finding(Struct, frozen=True):
    """One finding. `check` and `code` name its sentence, `values` fill it in."""

    check: str
    verdict: Verdict
    code: str
    values: dict[str, str] = {}


def good(check: str, code: str = "good", **values: object) -> Finding:
    """Return the finding that it works."""
    return _finding(check, Verdict.GOOD, code, values)


def note(check: str, code: str, **values: object) -> Finding:
    """Return the finding that one should know, though it need not be wrong here."""
    return _finding(check, Verdict.NOTE, code, values)


def bad(check: str, code: str, **values: object) -> Finding:
    """Return the finding of what must be mended."""
    return _finding(check, Verdict.BAD, code, values)


def _finding(check: str, verdict: Verdict, code: str, values: dict[str, object]) -> Finding:
    return Finding(check, verdict, code, {key: str(value) for key, value in values.items()})
