"""The only place with SQL of one database: how SQLite is opened, and the audit's lock.

For PostgreSQL the audit's lock is the account's rights: grant INSERT and SELECT. Without DELETE the
centre forgets nothing of the audit, and says so in its log.
"""

import contextlib
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

WRITE = "write"  # the execution option of a connection that will write

_PRAGMAS = {  # PRAGMA -> (what is asked, what must be read back)
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),  # NORMAL loses acked commits in a power cut (measured)
    "busy_timeout": ("5000", 5000),  # ms; `anbu center user add` writes beside us
    "journal_size_limit": ("67108864", 67108864),  # bytes
}


AUDIT_KEPT_S = 2 * 366 * 86_400  # two years where health is on record, say the Personal Information
# Protection Commission's measures of security (개인정보의 안전성 확보조치 기준, article 8)


class StoreError(Exception):
    """The database cannot be used; says why."""


def open_engine(url: str) -> Engine:
    """Open the database at a SQLAlchemy URL; for SQLite with what durability needs.

    Connecting raises `StoreError` where SQLite does not grant a PRAGMA.
    """
    engine = create_engine(url, hide_parameters=True)  # of people: in no log, and in no error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def lock_audit(connection: Connection) -> None:
    """Make the audit append-only, whoever holds the file's name.

    A line can be forgotten only when it is older than the law asks for (`AUDIT_KEPT_S`).
    """
    if connection.dialect.name != "sqlite":
        return
    young = f"OLD.utc > CAST(strftime('%s', 'now') AS REAL) - {AUDIT_KEPT_S}"
    for name, when in (
        ("audit_no_update", "BEFORE UPDATE ON audit"),
        ("audit_kept", f"BEFORE DELETE ON audit WHEN {young}"),
    ):
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS {name} {when} "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )
    connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_no_delete")  # of schema 5: for ever


def _prepare(dbapi: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own
    dbapi.isolation_level = None  # transactions are ours (see `_begin`), not the driver's guess
    with contextlib.ExitStack() as stack:
        stack.callback(dbapi.close)  # unless all is granted
        for name, (asked, wanted) in _PRAGMAS.items():
            dbapi.execute(f"PRAGMA {name} = {asked}")
            got = dbapi.execute(f"PRAGMA {name}").fetchone()[0]
            if got != wanted:
                message = f"SQLite gives {name} = {got}, but {wanted} is needed"
                raise StoreError(message)
        stack.pop_all()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
