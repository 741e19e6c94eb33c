"""A change of an incident: what both people (`board`) and hubs (`evidence`) bring about."""

from msgspec import Struct
from msgspec.structs import replace

from center.domain.incident import Entry, Incident
from hub.contract.messages import Stage

CLOCK_BACK_S = 60.0  # what is further ahead of now was written before the clock was put back
HELD = frozenset({Stage.ACCEPTED, Stage.PRESENT})


class Patience(Struct, frozen=True):
    """For how long a person who holds an incident is believed to look after it, in seconds."""

    take_expires_s: float = 600.0  # a call and a dispatch fit in; five forgotten still miss a lie
    present_expires_s: float = 4 * 3600.0  # a visit, or waiting with 119; then somebody looks again
    answer_s: float = 60.0  # TSA: 97.5 % of calls are answered in 60 s; so is one that came again
    fresh_act_s: float = 180.0  # TSA: 99 % in 180 s; who did nothing for longer is not there

    def lasts_s(self, stage: Stage) -> float:
        """Give how long a stage that somebody holds lasts without an act."""
        return self.present_expires_s if stage is Stage.PRESENT else self.take_expires_s


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
        expires_utc=after.expires_utc if after.stage in HELD else None,
        again_utc=after.again_utc if after.stage in HELD else None,
        last_utc=last.utc,
        last_deed=last.deed,
        last_by=last.by,
    )
    return Change(changed, tuple(replace(entry, version=version) for entry in entries))


def given_back(incident: Incident) -> Incident:
    """Give it back to everybody. Who was on site is not any more, and would have to be sent anew.

    Somebody who was sent and is still on the way stays sent.
    """
    was_there = incident.stage is Stage.PRESENT
    return replace(
        incident,
        stage=Stage.RECEIVED,
        who="",
        accepted_utc=None,
        present_utc=None,
        acted_utc=None,
        again_utc=None,
        sent_utc=None if was_there else incident.sent_utc,
    )


def reopened(incident: Incident, utc: float) -> Incident:
    """Give it back to everybody, as if it had just come; the caller stamps the version."""
    return replace(
        given_back(incident),
        waiting_utc=utc,
        reopened_utc=utc,
        sent_utc=None,
        closed_utc=None,
        outcome=None,
    )
