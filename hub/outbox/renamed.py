"""What a hub still owes when it gets another name: its calls go out under the new one.

A broker refuses what is under a name that is not in the certificate, and a refused call would end
each session anew. What is not a call belongs to the home of before, and is forgotten.
"""

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent
from hub.core.model.effects import Lane
from hub.outbox.store import Row


def topics(hub: str) -> str:
    """Return what the topics of a hub begin with."""
    return wire.topic(hub, "")


def renamed(row: Row, hub: str) -> Row | None:
    """Return a message as the hub sends it under its present name; None: it is forgotten."""
    if not hub or row.topic.startswith(topics(hub)):
        return row
    if row.lane is not Lane.SOS or not _may_be_a_call(row):
        return None
    old = row.topic.split("/")[2:3]
    before, now = (f'"{wire.source(name)}"'.encode() for name in (*old, hub))
    topic = wire.topic(hub, "event")
    return replace(row, topic=topic, payload=row.payload.replace(before, now, 1))


def _may_be_a_call(row: Row) -> bool:
    try:
        return isinstance(wire.read_from_hub(row.topic, row.payload).message, AlarmEvent)
    except wire.RefusedError:
        return True
