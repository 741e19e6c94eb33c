"""The tables of announcements: who says what to whom, and what became of it in each home."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from center.store.tables import metadata

# the columns are the fields of `announcing.draft.Announcement`; `key` folds a form sent twice
announcements = Table(
    "announcements",
    metadata,
    Column("id", String, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("utc", Float, nullable=False),
    Column("by", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("until_utc", Float, nullable=False),
    Column("whom", String, nullable=False),
    Column("place", String, nullable=False),
    Column("homes", Integer, nullable=False),
    Column("digest", String, nullable=False),
    Index("announcements_by_time", "utc"),
)

# the columns are the fields of `announcing.fate.Delivery`
deliveries = Table(
    "deliveries",
    metadata,
    Column("announcement", String, primary_key=True),
    Column("hub", String, primary_key=True),
    Column("fate", String, nullable=False),
    Column("due_utc", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("sent_utc", Float),
    Column("taken_utc", Float),
    Column("over_utc", Float),
    Index("deliveries_by_due", "fate", "due_utc"),
    Index("deliveries_by_hub", "hub", "fate"),
)

# the number of the last command to each hub: it only rises, or the hub refuses
counters = Table(
    "counters",
    metadata,
    Column("hub", String, primary_key=True),
    Column("counter", BigInteger, nullable=False),
)
