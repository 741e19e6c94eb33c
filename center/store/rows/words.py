"""What residents said, as transcribed by machines. Stored in this table only.

It comes only from homes that consented (setting `tell_words` of their voice), and is deleted after
`days_keep_s`.
"""

import re

from sqlalchemy import Connection, delete, insert, select

from center.domain.record import ConsentItem
from center.store.rows import records
from center.store.tables import words
from hub.contract.messages import AlarmEvent, CheckInEvent, Happened
from hub.contract.voice import WORDS_MAX

SAID = re.compile(r'("words"\s*:\s*)"(?:[^"\\]|\\.)*"?')  # in torn bytes, too
Words = dict[tuple[str, str], str]  # (hub, check-in or incident) -> what was said


def bare(event: Happened, raw: str) -> str:
    """Return an event as it came, without what was said: events are kept longer than words."""
    told = isinstance(event, AlarmEvent | CheckInEvent)
    return SAID.sub(r'\1""', raw) if told else raw


def keep(
    conn: Connection, hub: str, about: str, event: AlarmEvent | CheckInEvent, utc: float
) -> None:
    """Store what was said, if the event has it, with the incident or check-in that it is about.

    The home's setting may be wrong: where the record refuses consent to voice, nothing is stored.
    """
    if event.data.words and not _refused(conn, hub):
        text = event.data.words[:WORDS_MAX]
        row = {"hub": hub, "event": event.id, "about": about, "stored_utc": utc, "words": text}
        conn.execute(delete(words).where(words.c.hub == hub, words.c.event == event.id))
        conn.execute(insert(words).values(row))


def of_home(conn: Connection, hub: str, about: str) -> tuple[str, ...]:
    """Return what was said in a home about an incident, oldest first."""
    query = select(words.c.words).where(words.c.hub == hub, words.c.about == about)
    return tuple(conn.scalars(query.order_by(words.c.stored_utc, words.c.event)))


def newest(conn: Connection, since_utc: float, hub: str | None = None) -> Words:
    """Return the last words about each check-in or incident, of one home or of all."""
    column = words.c
    query = select(column.hub, column.about, column.words).where(column.stored_utc >= since_utc)
    if hub is not None:
        query = query.where(column.hub == hub)
    found = conn.execute(query.order_by(column.stored_utc, column.event))
    return {(row.hub, row.about): row.words for row in found}


def _refused(conn: Connection, hub: str) -> bool:
    kept = records.find(conn, hub)
    said = kept and kept.record.consent(ConsentItem.VOICE)
    return bool(said and not said.given)
