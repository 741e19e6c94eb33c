"""What depends on the database used: how SQLite is opened and copied, and the audit's lock.

On PostgreSQL the rights of the centre's account are the audit's lock: grant INSERT and SELECT. With
DELETE old lines are forgotten, too (`retention`); without it they stay, and the log says so.
"""

import contextlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from hub.shared.files import to_disk

WRITE = "write"  # the execution option of a connection that will write

COPIES = 2  # kept from before an update; they hold data of people that is deleted elsewhere
log = logging.getLogger(__name__)

_PRAGMAS = {  # PRAGMA -> (what is asked, what must be read back)
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),  # NORMAL loses acked commits in a power cut (measured)
    "busy_timeout": ("5000", 5000),  # ms; `anbu center user add` writes beside us
    "journal_size_limit": ("67108864", 67108864),  # bytes
}


AUDIT_KEPT_S = 2 * 366 * 86_400  # two years where health is on record, say the Personal Information
# Protection Commission's measures of security (개인정보의 안전성 확보조치 기준, article 8)


class StoreError(Exception):
    """The database cannot be used; the text says why."""


def open_engine(url: str) -> Engine:
    """Open the database at a SQLAlchemy URL; SQLite with the PRAGMAs that durability needs.

    Raise `StoreError` where its driver is not installed, and on connecting where SQLite does not
    accept a PRAGMA.
    """
    try:
        engine = create_engine(  # parameters are about people: they stay out of logs and errors
            url, hide_parameters=True, json_deserializer=_loads
        )
    except ImportError as error:
        raise StoreError(str(error)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def flaw(url: str) -> str:
    """Return why `url` names no database, else ''; its driver may still be missing."""
    try:
        make_url(url).get_dialect()
    except (ArgumentError, ValueError) as error:
        return str(error)
    return ""


def keep_copy(engine: Engine, schema: int) -> Path | None:
    """Copy an SQLite database beside itself as `<name>.schema-<n>.<time>`, and keep two copies.

    Where there is no room for it, the centre logs that and starts: calls must not wait for it.
    PostgreSQL is not copied: its migration is one transaction; make copies with pg_dump.
    """
    if engine.dialect.name != "sqlite":
        log.warning("the database goes on from schema %d; only pg_dump could take it back", schema)
        return None
    path = Path(engine.url.database or "")
    copy = path.with_name(f"{path.name}.schema-{schema}.{time.time_ns()}")
    raw = engine.raw_connection()  # VACUUM INTO runs outside of transactions only
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))  # it holds what the database holds
        raw.cursor().execute("VACUUM INTO ?", (str(copy),))
        to_disk(copy)
        to_disk(path.parent)
    except (OSError, engine.dialect.loaded_dbapi.Error) as error:
        log.error("the database was NOT copied before its update: %s", error)  # noqa: TRY400 - a disk
        copy.unlink(missing_ok=True)
        return None
    finally:
        raw.close()
    for old in sorted(path.parent.glob(f"{path.name}.schema-*"), key=_age)[:-COPIES]:
        old.unlink()
    log.warning("the database of schema %d was copied to %s before its update", schema, copy.name)
    return copy


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def lock_audit(connection: Connection) -> None:
    """Make the audit append-only by triggers in the file itself.

    A line can be deleted only when it is older than the law asks for (`AUDIT_KEPT_S`).
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


def _loads(text: str | bytes) -> Any:  # noqa: ANN401 - what the JSON says
    """Return a JSON column; text that is no JSON is returned as it is (`shaping` reads it)."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _prepare(dbapi: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own
    dbapi.isolation_level = None  # `_begin` starts transactions, not the driver
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
