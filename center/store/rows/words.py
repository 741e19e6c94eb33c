"""What residents said, as machines wrote it down: in a table of its own, and nowhere else.

It comes only from homes that consented (`tell_words` of their voice), and is forgotten with their
days.
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
    """Give an event as it came, but for what was said: what keeps events keeps them for ever."""
    told = isinstance(event, AlarmEvent | CheckInEvent)
    return SAID.sub(r'\1""', raw) if told else raw


def keep(
    conn: Connection, hub: str, about: str, event: AlarmEvent | CheckInEvent, utc: float
) -> None:
    """Keep what was said, if it was told, with the incident or the check-in that it is about.

    The home's own switch may be wrong: where the record says no to voice, nothing is kept.
    """
    if event.data.words and not _refused(conn, hub):
        text = event.data.words[:WORDS_MAX]
        row = {"hub": hub, "event": event.id, "about": about, "stored_utc": utc, "words": text}
        conn.execute(delete(words).where(words.c.hub == hub, words.c.event == event.id))
        conn.execute(insert(words).values(row))


def of_home(conn: Connection, hub: str, about: str) -> tuple[str, ...]:
    """Give what was said in a home about an incident, oldest first."""
    query = select(words.c.words).where(words.c.hub == hub, words.c.about == about)
    return tuple(conn.scalars(query.order_by(words.c.stored_utc, words.c.event)))


def newest(conn: Connection, since_utc: float, hub: str | None = None) -> Words:
    """Give what was said last about each check-in or incident, of one home or of all."""
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
