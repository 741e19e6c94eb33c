"""Operators, sessions and tokens in the store."""

from sqlalchemy import Connection, delete, insert, literal, select, update

from center.domain.incident import Deed, Entry
from center.store import tables
from center.store.rows.audit import write_line

DEVICE_KEY = "device_key"
INSTALLER = "installer"  # as `service.auth.Role`


def password_hash(conn: Connection, name: str) -> str | None:
    """Return the password hash of an operator or installer, or None."""
    for table in (tables.operators, tables.installers):
        held: str | None = conn.scalar(select(table.c.password_hash).where(table.c.name == name))
        if held is not None:
            return held
    return None


def device_key(conn: Connection, made: str) -> str:
    """Return the key that seals the cookies of known devices; `made` where there is none yet.

    It signs nobody in: a sealed cookie only spares the wait after wrong guesses of others.
    """
    table = tables.meta
    known: str | None = conn.scalar(select(table.c.value).where(table.c.key == DEVICE_KEY))
    if known is None:
        conn.execute(insert(table).values(key=DEVICE_KEY, value=made))
    return known or made


def put_operator(conn: Connection, utc: float, name: str, role: str, hashed: str) -> None:
    """Add an operator; one of that name gets the new role and password and is signed out.

    Installers have a table of their own: an earlier program takes nobody there for an operator.
    """
    values = {"role": role, "password_hash": hashed}
    table, other = tables.operators, tables.installers
    if role == INSTALLER:
        table, other = other, table
        del values["role"]
    conn.execute(delete(other).where(other.c.name == name))
    if conn.execute(update(table).where(table.c.name == name).values(values)).rowcount == 0:
        conn.execute(insert(table).values(name=name, created_utc=utc, **values))
    conn.execute(delete(tables.sessions).where(tables.sessions.c.name == name))
    write_line(conn, Entry(utc, Deed.USER_ADDED, version=0, text=f"{name} {role}"))


def put_token(conn: Connection, utc: float, name: str, role: str, hashed: str) -> None:
    """Add a program's token; an older one of that name is no longer valid."""
    table = tables.tokens
    conn.execute(delete(table).where(table.c.name == name))
    conn.execute(insert(table).values(hash=hashed, name=name, role=role, created_utc=utc))
    write_line(conn, Entry(utc, Deed.TOKEN_ADDED, version=0, text=f"{name} {role}"))


def operators(conn: Connection) -> list[tuple[str, str, float]]:
    """List (name, role, since when in UTC seconds) of all operators and installers, by name."""
    table, others = tables.operators.c, tables.installers.c
    query = select(table.name, table.role, table.created_utc)
    rest = select(others.name, literal(INSTALLER), others.created_utc)
    rows = [*conn.execute(query), *conn.execute(rest)]
    return sorted((row[0], row[1], row[2]) for row in rows)


def tokens(conn: Connection) -> list[tuple[str, str, float]]:
    """List (name, role, since when in UTC seconds) of all programs' tokens, by name."""
    table = tables.tokens.c
    query = select(table.name, table.role, table.created_utc).order_by(table.name)
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]


def remove_operator(conn: Connection, utc: float, name: str) -> bool:
    """Remove an operator, who is signed out at once; False where there is none of that name."""
    conn.execute(delete(tables.sessions).where(tables.sessions.c.name == name))
    held = (tables.operators, tables.installers)
    if not sum(conn.execute(delete(one).where(one.c.name == name)).rowcount for one in held):
        return False
    write_line(conn, Entry(utc, Deed.USER_REMOVED, version=0, text=name))
    return True


def remove_token(conn: Connection, utc: float, name: str) -> bool:
    """Remove a program's token, which is no longer valid; False where there is none."""
    table = tables.tokens
    if not conn.execute(delete(table).where(table.c.name == name)).rowcount:
        return False
    write_line(conn, Entry(utc, Deed.TOKEN_REMOVED, version=0, text=name))
    return True


def open_session(
    conn: Connection, utc: float, hashed: str, name: str, expires_utc: float, address: str
) -> None:
    """Store a session, and delete those that are over."""
    table = tables.sessions
    conn.execute(delete(table).where(table.c.expires_utc <= utc))
    conn.execute(insert(table).values(hash=hashed, name=name, expires_utc=expires_utc))
    write_line(conn, Entry(utc, Deed.SIGNED_IN, version=0, by=name, text=address))


def close_session(conn: Connection, utc: float, hashed: str) -> None:
    """End a session, if it exists."""
    table = tables.sessions
    name = conn.scalar(select(table.c.name).where(table.c.hash == hashed))
    if name is not None:
        conn.execute(delete(table).where(table.c.hash == hashed))
        write_line(conn, Entry(utc, Deed.SIGNED_OUT, version=0, by=name))


def sign_in_failed(conn: Connection, utc: float, name: str, address: str) -> None:
    """Note a failed sign-in in the audit; there may be no account of this name."""
    write_line(conn, Entry(utc, Deed.SIGN_IN_FAILED, version=0, text=f"{name} {address}"))


def by_session(conn: Connection, hashed: str, utc: float) -> tuple[str, str] | None:
    """Return (name, role) of a session that is not over, or None."""
    session, operator = tables.sessions, tables.operators
    query = (
        select(operator.c.name, operator.c.role)
        .join(session, session.c.name == operator.c.name)
        .where(session.c.hash == hashed, session.c.expires_utc > utc)
    )
    row = conn.execute(query).first()
    if row is not None:
        return row[0], row[1]
    others = tables.installers
    query = select(others.c.name).join(session, session.c.name == others.c.name)
    name = conn.scalar(query.where(session.c.hash == hashed, session.c.expires_utc > utc))
    return None if name is None else (name, INSTALLER)


def by_token(conn: Connection, hashed: str) -> tuple[str, str] | None:
    """Return (name, role) of a program's token, or None."""
    table = tables.tokens
    row = conn.execute(select(table.c.name, table.c.role).where(table.c.hash == hashed)).first()
    return None if row is None else (row[0], row[1])
