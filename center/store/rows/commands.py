"""What all commands to hubs share: how many go at once, how long one lasts, its counter."""

from sqlalchemy import BigInteger, Connection, bindparam, case, insert, select, update

from center.store.tables import counters

BATCH = 25  # at once: acks of calls for help wait in the same queue
LASTS_S = 150.0  # of a command; hubs allow 300 s, so their clocks may be off by 150 s either way
HASTEN_S = 10.0  # a hub that comes online is not sent the same twice within this time
_LEAST = bindparam("least", type_=BigInteger)
_COUNT = (
    update(counters)
    .where(counters.c.hub == bindparam("there"))
    .values(counter=case((counters.c.counter >= _LEAST, counters.c.counter + 1), else_=_LEAST))
)
_COUNTER = select(counters.c.counter).where(counters.c.hub == bindparam("there"))


def next_counter(conn: Connection, hub: str, utc: float) -> int:
    """Return a number above all earlier ones of this hub; at least the time in milliseconds.

    So it rises even where the database is a restored, older copy.
    """
    least = int(utc * 1000)
    if not conn.execute(_COUNT, {"there": hub, "least": least}).rowcount:
        conn.execute(insert(counters).values(hub=hub, counter=least))
    return int(conn.scalar(_COUNTER, {"there": hub}) or least)
