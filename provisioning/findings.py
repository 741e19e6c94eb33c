"""What `anbu doctor` has found, as data; the sentences are in `provisioning/messages/`."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How a finding is meant. Only BAD makes the exit code 1."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(Struct, frozen=True):
    """One finding. `check` and `code` name its sentence, `values` fill it in."""

    check: str
    verdict: Verdict
    code: str
    values: dict[str, str] = {}


class Link(Struct, frozen=True):
    """`[mqtt]` of a hub's config, as far as it is examined."""

    brokers: tuple[str, ...] = ()
    ca: str = ""
    cert: str = ""
    key: str = ""
    protocol: str = "5"


class Patient(Struct, frozen=True):
    """A hub's config, as far as it is examined; the hub itself reads it strictly."""

    hub: str = ""
    state_dir: str = "/var/lib/anbu"
    run_dir: str = "/run/anbu"
    mqtt: Link = Link()


def good(check: str, code: str = "good", **values: object) -> Finding:
    """Find that it works."""
    return _finding(check, Verdict.GOOD, code, values)


def note(check: str, code: str, **values: object) -> Finding:
    """Find what one should know, though it need not be wrong here."""
    return _finding(check, Verdict.NOTE, code, values)


def bad(check: str, code: str, **values: object) -> Finding:
    """Find what must be mended."""
    return _finding(check, Verdict.BAD, code, values)


def _finding(check: str, verdict: Verdict, code: str, values: dict[str, object]) -> Finding:
    return Finding(check, verdict, code, {key: str(value) for key, value in values.items()})
