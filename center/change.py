"""A change of an incident: what both people (`board`) and hubs (`evidence`) bring about."""

from msgspec import Struct
from msgspec.structs import replace

from center.incident import Entry, Incident
from hub.core.payloads import Stage


class Change(Struct, frozen=True):
    """The incident as it is now, and what its timeline gains."""

    incident: Incident
    entries: tuple[Entry, ...]


def advance(before: Incident, after: Incident, *entries: Entry) -> Change:
    """Make one change of it: a version higher, the last entry remembered, all entries stamped."""
    version = before.version + 1
    moved = (before.stage, before.who) != (after.stage, after.who)
    last = entries[-1]
    changed = replace(
        after,
        version=version,
        staged=version if moved else before.staged,
        expires_utc=after.expires_utc if after.stage is Stage.ACCEPTED else None,
        last_utc=last.utc,
        last_deed=last.deed,
        last_by=last.by,
    )
    return Change(changed, tuple(replace(entry, version=version) for entry in entries))


def reopened(incident: Incident, utc: float) -> Incident:
    """Give it back to everybody, as if it had just come; the caller stamps the version."""
    return replace(
        incident,
        stage=Stage.RECEIVED,
        who="",
        waiting_utc=utc,
        reopened_utc=utc,
        accepted_utc=None,
        present_utc=None,
        closed_utc=None,
        outcome=None,
    )
