"""The residents' tables: all of it is personal data, kept here and nowhere else."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text

from center.store.tables import metadata

# one document per home (`homes.record.Record`), so that a new field needs no migration
records = Table(
    "records",
    metadata,
    Column("hub", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed_utc", Float, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("record", JSON, nullable=False),
)

checkins = Table(
    "checkins",
    metadata,
    Column("hub", String, primary_key=True),
    Column("checkin", String, primary_key=True),
    Column("day", String, nullable=False),  # Korea's, such as 2026-03-01
    Column("slot", String, nullable=False),  # its time of day, such as 09:00
    Column("topic", String, nullable=False),
    Column("result", String, nullable=False),
    Column("by", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_utc", Float, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("said_utc", Float, nullable=False),  # the hub's clock
    Column("stored_utc", Float, nullable=False),
    Column("wordless", Integer),  # answers that were sounds alone; none: not known
    Index("checkins_by_day", "day", "hub"),
    Index("checkins_by_time", "stored_utc"),
)

# the columns are the fields of `homes.need.Need`
needs = Table(
    "needs",
    metadata,
    Column("id", String, primary_key=True),
    Column("hub", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since_utc", Float, nullable=False),
    Column("last_utc", Float, nullable=False),
    Column("score", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("result", String),
    Column("called_utc", Float),
    Column("called_by", String, nullable=False),
    Column("done_utc", Float),
    Column("eased_utc", Float),
    Column("area", String, nullable=False, server_default=""),
    Column("taken_by", String, nullable=False, server_default=""),
    Column("taken_utc", Float),
    Column("until_utc", Float),
    Index("needs_by_done", "done_utc", "since_utc"),
    Index("needs_by_hub", "hub", "since_utc"),
)

# what a task is about, where that is more than its kind: a hub, or a device with its fault
need_parts = Table(
    "need_parts",
    metadata,
    Column("need", String, primary_key=True),
    Column("hub", String, primary_key=True),
    Column("device", String, primary_key=True),  # empty: the hub as a whole
    Column("fault", String, primary_key=True),  # its kind; empty: none
    Column("kind", String, nullable=False),  # of the task
    Column("detail", String, nullable=False),
    Column("since_utc", Float, nullable=False),
    Column("over_utc", Float),
    Column("times", Integer, nullable=False),  # it came back so often
    Index("need_parts_by_over", "over_utc", "hub"),
)

# when a trigger was last seen pressed; a home whose hub lists none has one row, of no device
presses = Table(
    "presses",
    metadata,
    Column("hub", String, primary_key=True),
    Column("device", String, primary_key=True),
    Column("known_utc", Float, nullable=False),
    Column("pressed_utc", Float),
)

# what operators wrote of a call; no part of the audit, since it can be forgotten in time
need_notes = Table(
    "need_notes",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("need", String, nullable=False),
    Column("utc", Float, nullable=False),
    Column("by", String, nullable=False),
    Column("result", String, nullable=False),
    Column("text", Text, nullable=False),
    Index("need_notes_by_need", "need", "seq"),
)

# what residents said, as machines wrote it down; `about`: a check-in, or an incident by its id
words = Table(
    "words",
    metadata,
    Column("hub", String, primary_key=True),
    Column("event", String, primary_key=True),
    Column("about", String, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Column("words", Text, nullable=False),
    Index("words_by_home", "hub", "about"),
    Index("words_by_time", "stored_utc"),
)

# an hour of a home; said again it replaces what was known of that hour
activity = Table(
    "activity",
    metadata,
    Column("hub", String, primary_key=True),
    Column("from_utc", Float, primary_key=True),
    Column("synced", Boolean, nullable=False),
    Column("seen", JSON, nullable=False),
    Column("places", JSON, nullable=False),
    Column("presence", String, nullable=False),
    Column("asleep_s", Float, nullable=False),
    Column("away_s", Float, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Index("activity_by_time", "stored_utc"),
)
