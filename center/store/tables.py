"""The tables: of incidents and hubs, of homes, of announcements. Independent of the database used.

Text columns hold enum values; times are UTC seconds. What came after schema 1 is in `migrations`.
It is long for the schema is one concept: a table is read beside those that it is joined with.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = 9
# the oldest program, by its schema, that may use a database of this one; it stays the same while
# only tables and optional columns are added
OLDEST = 6

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

# every event of a hub, as it came; (source, id) folds duplicates
events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("source", String, nullable=False),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("hub", String, nullable=False),
    Column("alarm", String),
    Column("stored_utc", Float, nullable=False),
    Column("raw", Text, nullable=False),
    UniqueConstraint("source", "id"),
    Index("events_by_time", "stored_utc"),
)

# the columns are the fields of `domain.incident.Incident`
incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("hub", String, nullable=False),
    Column("alarm", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("device", String, nullable=False),
    Column("place", String, nullable=False),
    Column("stage", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("staged", Integer, nullable=False),
    Column("raised_utc", Float, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("received_utc", Float, nullable=False),
    Column("waiting_utc", Float, nullable=False),
    Column("last_utc", Float, nullable=False),
    Column("last_deed", String, nullable=False),
    Column("last_by", String, nullable=False),
    Column("who", String, nullable=False),
    Column("presses", Integer, nullable=False),
    Column("accepted_utc", Float),
    Column("expires_utc", Float),
    Column("present_utc", Float),
    Column("closed_utc", Float),
    Column("cancelled_utc", Float),
    Column("cancel_asked_utc", Float),
    Column("reopened_utc", Float),
    Column("outcome", String),
    Column("cleared_utc", Float),
    Column("evidence", JSON(none_as_null=True)),
    Column("about", String, nullable=False, server_default=""),
    Column("acted_utc", Float),
    Column("again_utc", Float),
    Column("sent_utc", Float),
    Column("surplus", Integer, nullable=False, server_default="0"),
    Column("unread", Text, nullable=False, server_default=""),
    Column("vital", JSON(none_as_null=True)),
    Column("test_utc", Float),
    UniqueConstraint("hub", "alarm"),
    Index("incidents_by_stage", "stage", "received_utc"),
    Index("incidents_by_time", "received_utc"),
)

# append-only, for as long as the law asks (`dialect.lock_audit`): an incident's lines are its
# timeline, lines without one are sign-ins and the like
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("incident", String),
    Column("utc", Float, nullable=False),
    Column("deed", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("by", String, nullable=False),
    Column("event", String, nullable=False),
    Column("happened_utc", Float),
    Column("synced", Boolean, nullable=False),
    Column("device", String, nullable=False),
    Column("place", String, nullable=False),
    Column("outcome", String),
    Column("text", Text, nullable=False),
    Column("hub", String, nullable=False, server_default=""),
    Index("audit_by_incident", "incident", "seq"),
    Index("audit_by_hub", "hub", "seq"),
    Index("audit_by_time", "utc"),
)

hubs = Table(
    "hubs",
    metadata,
    Column("hub", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("heard_utc", Float, nullable=False),
    Column("boot", String, nullable=False),
    Column("software", String, nullable=False),
    Column("interval_s", Float, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("first_utc", Float),
    Column("voice", JSON(none_as_null=True)),
    Column("removed_utc", Float),
    Column("back_utc", Float),
    Column("triggers", JSON(none_as_null=True)),
    Column("pairing", JSON(none_as_null=True)),
    Column("phones", JSON(none_as_null=True)),
)

# kept after they are over, since a hub's state may list them again
faults = Table(
    "faults",
    metadata,
    Column("hub", String, primary_key=True),
    Column("fault", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("device", String, nullable=False),
    Column("since_utc", Float, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("cleared_utc", Float),
    Column("stored_utc", Float),  # the centre's clock, when it was raised last
)

# faults that the centre itself has found: how often, and when last
own_faults = Table(
    "own_faults",
    metadata,
    Column("hub", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("last_utc", Float, nullable=False),
)

# `said_utc` is the hub's clock, in its newest state of that boot
hub_boots = Table(
    "hub_boots",
    metadata,
    Column("hub", String, primary_key=True),
    Column("boot", String, primary_key=True),
    Column("said_utc", Float, nullable=False),
    Column("heard_utc", Float, nullable=False),
)

# calls beyond those that a home may have open at once: each stands for an alarm of the hub
surplus = Table(
    "surplus",
    metadata,
    Column("hub", String, primary_key=True),
    Column("alarm", String, primary_key=True),
    Column("incident", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("device", String, nullable=False),
    Column("place", String, nullable=False),
    Column("happened_utc", Float, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Index("surplus_by_incident", "incident"),
)

fault_history = Table(
    "fault_history",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("hub", String, nullable=False),
    Column("fault", String, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),  # within the hour
    Column("last_utc", Float),  # of the last of them; None: it was one
    Index("fault_history_by_hub", "hub", "seq"),
    Index("fault_history_by_fault", "hub", "fault", "over", "seq"),
    Index("fault_history_by_time", "stored_utc"),
)

telemetry = Table(
    "telemetry",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("hub", String, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Column("raw", Text, nullable=False),
    Index("telemetry_by_hub", "hub", "seq"),
    Index("telemetry_by_time", "stored_utc"),
)

replies = Table(
    "replies",
    metadata,
    Column("hub", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("done", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("stored_utc", Float, nullable=False),
)

refused = Table(
    "refused",
    metadata,
    Column("reason", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_utc", Float, nullable=False),
)

operators = Table(
    "operators",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("created_utc", Float, nullable=False),
)

# only hashes of what the browser or the program holds
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("expires_utc", Float, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("created_utc", Float, nullable=False),
)


# one document per home (`domain.record.Record`), so that a new field needs no migration
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

# the columns are the fields of `domain.need.Need`
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

# what a task is about beside its kind: a hub, or a device with its fault
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

# an hour of a home; a newer report replaces it
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

# what devices on the body measured: a row per kind, time and device. A newer report replaces it.
# The key is also the order on disk: a page reads one home's kind over a span of time.
vitals = Table(
    "vitals",
    metadata,
    Column("hub", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("utc", Float, primary_key=True),
    Column("device", String, primary_key=True),
    Column("from_utc", Float),  # of a summary: when its interval began
    Column("value", Float),
    Column("least", Float),
    Column("most", Float),
    Column("n", Integer, nullable=False),
    Column("clean_share", Float),
    Column("usual", Float),
    Column("level", String),
    Column("why", String),
    Column("sure", Boolean, nullable=False),  # its time is: clock and record can be trusted
    Column("irregular", Boolean, nullable=False),
    Column("stored_utc", Float, nullable=False),
    Index("vitals_by_time", "stored_utc"),
    sqlite_with_rowid=False,
)
_UNSURE = vitals.c.sure.is_(False)  # so few that an index of them alone is small
Index("vitals_unsure", vitals.c.hub, vitals.c.stored_utc, sqlite_where=_UNSURE,
      postgresql_where=_UNSURE)  # fmt: skip

# the limits of a home beyond which its hub asks and calls, and whether the hub has them
vital_limits = Table(
    "vital_limits",
    metadata,
    Column("hub", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed_utc", Float, nullable=False),
    Column("changed_by", String, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("fate", String, nullable=False),
    Column("due_utc", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("sent_utc", Float),
    Column("over_utc", Float),
    Index("vital_limits_by_due", "fate", "due_utc"),
)

# a resident's name for the medical partner, which says nothing about who it is
subjects = Table(
    "subjects",
    metadata,
    Column("hub", String, primary_key=True),
    Column("subject", String, nullable=False, unique=True),
    Column("made_utc", Float, nullable=False),
)

# programs of the medical partner. Not in `tokens`: an earlier program would take them for operators
partners = Table(
    "partners",
    metadata,
    Column("hash", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created_utc", Float, nullable=False),
)


# the columns are the fields of `domain.announcement.Announcement`; `key` folds a form sent twice
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

# the columns are the fields of `domain.announcement.Delivery`
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

# people who set up hubs. Not in `operators`: an earlier program would take them for operators
installers = Table(
    "installers",
    metadata,
    Column("name", String, primary_key=True),
    Column("password_hash", String, nullable=False),
    Column("created_utc", Float, nullable=False),
)

# the columns are the fields of `domain.enrolment.Enrolment`; `key`: SHA-256 of a public key
enrolments = Table(
    "enrolments",
    metadata,
    Column("key", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("digits", String, nullable=False),
    Column("network", String, nullable=False),
    Column("asked_utc", Float, nullable=False),
    Column("seen_utc", Float, nullable=False),
    Column("until_utc", Float, nullable=False),
    Column("hub", String, nullable=False),
    Column("by", String, nullable=False),
    Column("replaces", Boolean, nullable=False),
    Column("claimed_utc", Float),
    Index("enrolments_by_state", "state", "digits"),
    Index("enrolments_by_network", "state", "network"),
    Index("enrolments_by_time", "seen_utc"),
)

# certificates of hubs, by serial number (hex). `by`: who claimed the hub; empty: it was renewed.
# `used_utc`: it was shown to the centre for the first time
certificates = Table(
    "certificates",
    metadata,
    Column("serial", String, primary_key=True),
    Column("hub", String, nullable=False),
    Column("key", String, nullable=False),
    Column("by", String, nullable=False),
    Column("issued_utc", Float, nullable=False),
    Column("begins_utc", Float, nullable=False),
    Column("ends_utc", Float, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("used_utc", Float),
    Column("revoked_utc", Float),
    Column("revoked_by", String, nullable=False, server_default=""),
    Column("reason", String, nullable=False, server_default=""),
    Index("certificates_by_hub", "hub", "issued_utc"),
    Index("certificates_by_key", "key"),
    Index("certificates_by_end", "ends_utc"),
    Index("certificates_by_revocation", "revoked_utc"),
)

# a hub's own settings and what it has learned, for the hub that replaces it
backups = Table(
    "backups",
    metadata,
    Column("hub", String, primary_key=True),
    Column("stored_utc", Float, nullable=False),
    Column("serial", String, nullable=False),  # of the certificate that stored it
    Column("body", LargeBinary, nullable=False),
)

# hubs that may say and hear nothing, and get no certificate but by a new claim
struck_off = Table(
    "struck_off",
    metadata,
    Column("hub", String, primary_key=True),
    Column("utc", Float, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
)

# the columns are the fields of `domain.lease.Lease`: in a home's test mode a press may be a test
leases = Table(
    "leases",
    metadata,
    Column("id", String, primary_key=True),
    Column("hub", String, nullable=False),
    Column("by", String, nullable=False),
    Column("since_utc", Float, nullable=False),
    Column("until_utc", Float, nullable=False),
    Column("boot", String, nullable=False, server_default=""),
    Column("shown_utc", Float),
    Column("ended_utc", Float),
    Column("ended_by", String, nullable=False, server_default=""),
    Index("leases_by_hub", "hub", "until_utc"),
    Index("leases_by_end", "until_utc"),
)

# installations, by home: a row for each item of a step as `domain.installation.Item`; one of step
# `begun` says who began it and how far it is, and those of step `report` are finished ones, whole
installations = Table(
    "installations",
    metadata,
    Column("hub", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("item", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("proven_utc", Float),
    Column("by", String, nullable=False),
    Column("evidence", JSON, nullable=False),
    Index("installations_by_step", "step", "proven_utc"),
)
