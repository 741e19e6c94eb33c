"""Orders to pair Bluetooth devices of a home: their line in the audit, and what the hub replied.

Such an order means something only now, so it is sent once: a hub that does not hear it within its
time refuses it, and a person orders again.
"""

import secrets

from msgspec import Struct
from sqlalchemy import Connection, select

from center.domain.incident import Deed, Entry
from center.store import tables
from center.store.rows.audit import write_line
from center.store.rows.commands import next_counter
from center.store.shaping import shape
from hub.contract.messages import Command, CommandKind, Reply

LASTS_S = 60.0  # of a command, while somebody stands beside the device
SHOWN_S = 600.0  # so long the page tells of the last order
DEED = {
    CommandKind.OPEN_PAIRING: Deed.PAIRING_OPENED,
    CommandKind.ANSWER_PAIRING: Deed.PAIRING_ANSWERED,
}
WORDS = {"yes", "no"}


class Ordered(Struct, frozen=True):
    """The last order to a home: when, by whom, which; `reply` is None until the hub has replied."""

    utc: float
    by: str
    kind: CommandKind
    reply: Reply | None


class Order(Struct, frozen=True):
    """What the hub shall do; `said` is an answer to the request `ask`; 0: to whichever waits."""

    kind: CommandKind
    said: str = ""
    ask: int = 0


def put(conn: Connection, hub: str, order: Order, by: str, utc: float) -> Command:
    """Make an order, with a line in the audit; a key is not written there."""
    kind, said = order.kind, order.said
    ident = f"pair-{secrets.token_hex(6)}"
    counter = next_counter(conn, hub, utc)
    told = " ".join(filter(None, (ident, said if said in WORDS or not said else "key")))
    write_line(conn, Entry(utc, DEED[kind], version=0, by=by, text=told, hub=hub))
    return Command(ident, kind, counter, utc + LASTS_S, said, ask=order.ask)


def last(conn: Connection, hub: str, utc: float) -> Ordered | None:
    """Return the last order to a home, if it was made in the last ten minutes."""
    column = tables.audit.c
    deeds = [deed.value for deed in DEED.values()]
    query = select(tables.audit).where(column.hub == hub, column.deed.in_(deeds))
    query = query.where(column.utc > utc - SHOWN_S).order_by(column.seq.desc()).limit(1)
    row = conn.execute(query).first()
    if row is None:
        return None
    entry = shape(row, Entry)
    kind = next(kind for kind, deed in DEED.items() if deed is entry.deed)
    ident = entry.text.partition(" ")[0]
    return Ordered(entry.utc, entry.by, kind, _reply(conn, hub, ident))


def _reply(conn: Connection, hub: str, ident: str) -> Reply | None:
    column = tables.replies.c
    query = select(tables.replies).where(column.hub == hub, column.id == ident)
    row = conn.execute(query).first()
    return None if row is None else shape(row, Reply)
