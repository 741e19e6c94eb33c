"""Requests for certificates, the certificates, and what hubs left with the centre, in the store."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from center.domain import enrolment
from center.domain.enrolment import Certificate, Enrolment, NotClaimed, Reason, Refused, State
from center.domain.incident import Deed, Entry
from center.store.rows.audit import write_line
from center.store.shaping import shape
from center.store.tables import (
    audit,
    backups,
    certificates,
    enrolments,
    hubs,
    records,
    struck_off,
)

_asked, _cert = enrolments.c, certificates.c
IDLE_S = 120.0  # a hub asks every 5 s: whoever does not ask for so long makes room first
OVER_S = 3600.0  # digits whose time is over are known so long, to say just that


class Room(Struct, frozen=True):
    """How many requests may wait, and for how long, in seconds."""

    most: int
    of_network: int
    waiting_s: float


class Claim(Struct, frozen=True):
    """An installer's wish: the request with these digits becomes the hub `hub`."""

    digits: str
    hub: str
    by: str
    known_home: bool  # it must be one of the homes that the centre knows
    replaces: bool


class Backup(Struct, frozen=True):
    """What a hub left here, when (UTC seconds), and by which certificate."""

    hub: str
    stored_utc: float
    serial: str
    body: bytes


def find(conn: Connection, key: str) -> Enrolment | None:
    """Return a request by its key."""
    row = conn.execute(select(enrolments).where(_asked.key == key)).first()
    return None if row is None else shape(row, Enrolment)


def ask(
    conn: Connection, key: str, network: str, now: float, room: Room, digits: Callable[[], str]
) -> Enrolment | Refused:
    """Note that a request came; return it as it stands now. `digits` makes random ones."""
    known = find(conn, key)
    if known is not None and not enrolment.is_over(known, now):
        return _put(conn, enrolment.seen_again(known, now))
    if not _make_room(conn, network, now, room):
        return Refused.BUSY
    return _put(conn, enrolment.asked(key, _free(conn, digits), network, now, room.waiting_s))


def ask_anew(conn: Connection, key: str, now: float) -> None:
    """Let a key whose certificate has ended wait for an installer again."""
    old = (_asked.key == key) & (_asked.state == State.ISSUED.value)
    conn.execute(update(enrolments).where(old).values(state=State.WAITING.value, until_utc=now))


def look(conn: Connection, wish: Claim, now: float) -> Enrolment | NotClaimed:
    """Return the request that a wish means, or why it may not have it; nothing is changed."""
    one = _by_digits(conn, wish.digits)
    why = enrolment.may_claim(one, wish.hub, wish.by, now)
    if why is None and one is not None and one.state is State.WAITING:
        why = _of_home(conn, wish)
    return NotClaimed.NO_SUCH_DIGITS if one is None else why or one


def claim(conn: Connection, wish: Claim, now: float) -> Enrolment | NotClaimed:
    """Let a request have its hub id, with a line in the audit; or say why not.

    Of two claims for a home only the last one counts: a hub that has not fetched its certificate by
    the one before says other digits.
    """
    one = look(conn, wish, now)
    if isinstance(one, NotClaimed) or one.state is not State.WAITING:
        return one
    made = enrolment.claimed(one, wish.hub, wish.by, now, replaces=has_hub(conn, wish.hub))
    told = f"{one.key[:12]} {one.network}"
    deed = Deed.HUB_REPLACED if made.replaces else Deed.HUB_CLAIMED
    write_line(conn, Entry(now, deed, version=0, by=wish.by, text=told, hub=wish.hub))
    drop_claims(conn, wish.hub)
    return _put(conn, made)


def drop_claims(conn: Connection, hub: str) -> None:
    """Forget claims for a home by which no hub has fetched its certificate yet."""
    open_ = (_asked.hub == hub) & (_asked.state == State.AUTHORISED.value)
    conn.execute(delete(enrolments).where(open_))


def issue(conn: Connection, made: Certificate) -> Certificate:
    """Store the certificate of an authorised request; return the one that its hub gets.

    Where somebody else was faster, it is theirs. The certificates of the hub that this one replaces
    are no longer valid from now on.
    """
    one = find(conn, made.key)
    if one is None or one.state is not State.AUTHORISED or one.hub != made.hub:
        return newest(conn, made.hub, made.key) or made
    revoke(conn, made.hub, made.issued_utc, made.by, Reason.REPLACED)
    conn.execute(delete(struck_off).where(struck_off.c.hub == made.hub))
    conn.execute(insert(certificates).values(**msgspec.structs.asdict(made)))
    _put(conn, msgspec.structs.replace(one, state=State.ISSUED, digits=""))
    _told(conn, Deed.CERTIFICATE_ISSUED, made)
    return made


def renew(conn: Connection, made: Certificate, shown: str) -> bool:
    """Store the certificate that follows the one with the serial number `shown`.

    False: that one was revoked meanwhile, and nothing is stored.
    """
    valid = select(_cert.serial).where(_cert.serial == shown, _cert.revoked_utc.is_(None))
    if conn.scalar(valid) is None:
        return False
    conn.execute(insert(certificates).values(**msgspec.structs.asdict(made)))
    _told(conn, Deed.CERTIFICATE_RENEWED, made)
    return True


def revoke(conn: Connection, hub: str, now: float, by: str, reason: str) -> int:
    """Make all certificates of a hub invalid from now on; return how many were valid."""
    valid = (_cert.hub == hub) & _cert.revoked_utc.is_(None)
    values = {"revoked_utc": now, "revoked_by": by, "reason": reason}
    count = conn.execute(update(certificates).where(valid).values(values)).rowcount
    if count:
        told = f"{reason} {count}"
        write_line(
            conn, Entry(now, Deed.CERTIFICATES_REVOKED, version=0, by=by, text=told, hub=hub)
        )
    return count


def shown(conn: Connection, serial: str) -> tuple[Certificate | None, tuple[Certificate, ...]]:
    """Return a certificate by its serial, and those of its hub that were issued after it."""
    row = conn.execute(select(certificates).where(_cert.serial == serial)).first()
    if row is None:
        return None, ()
    one = shape(row, Certificate)
    query = select(certificates).where(_cert.hub == one.hub).order_by(_cert.issued_utc)
    of_hub = [shape(found, Certificate) for found in conn.execute(query)]
    place = next(n for n, found in enumerate(of_hub) if found.serial == one.serial)
    return one, tuple(of_hub[place + 1 :])


def used(conn: Connection, serial: str, now: float) -> None:
    """Note that a certificate was shown for the first time."""
    first = (_cert.serial == serial) & _cert.used_utc.is_(None)
    conn.execute(update(certificates).where(first).values(used_utc=now))


def newest(conn: Connection, hub: str, key: str = "") -> Certificate | None:
    """Return the newest certificate of a hub, or of one of its keys."""
    query = select(certificates).where(_cert.hub == hub).order_by(_cert.issued_utc.desc())
    if key:
        query = query.where(_cert.key == key)
    row = conn.execute(query.limit(1)).first()
    return None if row is None else shape(row, Certificate)


def by_key(conn: Connection, key: str) -> Certificate | None:
    """Return the newest certificate of a key."""
    query = select(certificates).where(_cert.key == key).order_by(_cert.issued_utc.desc())
    row = conn.execute(query.limit(1)).first()
    return None if row is None else shape(row, Certificate)


def has_hub(conn: Connection, hub: str) -> bool:
    """Whether a hub of this id was ever heard, or has a certificate of this centre."""
    heard = conn.scalar(select(hubs.c.hub).where(hubs.c.hub == hub).limit(1))
    return heard is not None or newest(conn, hub) is not None


def is_home(conn: Connection, hub: str) -> bool:
    """Whether the centre knows a home of this id: by its record, or by its hub."""
    kept = conn.scalar(select(records.c.hub).where(records.c.hub == hub).limit(1))
    return kept is not None or has_hub(conn, hub)


def waiting(conn: Connection, now: float) -> int:
    """Return how many requests wait for an installer."""
    still = (_asked.state == State.WAITING.value) & (_asked.until_utc > now)
    return conn.scalar(select(func.count()).select_from(enrolments).where(still)) or 0


def fitted(conn: Connection, hub: str) -> tuple[str, float] | None:
    """Return who claimed the hub that a home has, and when it fetched its first certificate.

    None: it has none of this centre's that is still valid.
    """
    valid = (_cert.by != "") & _cert.revoked_utc.is_(None)
    query = select(_cert.by, _cert.issued_utc).where(_cert.hub == hub, valid)
    row = conn.execute(query.order_by(_cert.issued_utc.desc()).limit(1)).first()
    return None if row is None else (row.by, row.issued_utc)


def claimed(conn: Connection, hub: str, now: float) -> tuple[str, float] | None:
    """Return who was the last to claim a home's hub, and when, if the claim is in force.

    One that no hub has fetched yet counts for a home without a hub only: digits typed for the wrong
    home give nobody a right there.
    """
    if has_hub(conn, hub):
        return fitted(conn, hub)
    still = (_asked.state == State.AUTHORISED.value) & (_asked.until_utc > now)
    query = select(_asked.by, _asked.claimed_utc).where(_asked.hub == hub, still)
    row = conn.execute(query.order_by(_asked.claimed_utc.desc()).limit(1)).first()
    return None if row is None else (row.by, row.claimed_utc)


def claims(
    conn: Connection, now: float, since_utc: float, by: str | None = None
) -> list[tuple[str, float]]:
    """List the homes whose hub was claimed since a time, and when; those of one person, or all.

    Of a home only its last claim counts, see `claimed`. The newest comes first.
    """
    issued = select(_cert.hub).where(_cert.by != "", _cert.issued_utc >= since_utc)
    asked = select(_asked.hub).where(_asked.claimed_utc >= since_utc)
    found = []
    for hub in set(conn.scalars(issued.union(asked))):
        last = claimed(conn, hub, now)
        if last and last[1] >= since_utc and by in {None, last[0]}:
            found.append((hub, last[1]))
    return sorted(found, key=lambda one: -one[1])


def wrong_guesses(conn: Connection, since: float, limit: int = 20) -> list[Entry]:
    """List the refused claims since a time, the newest first."""
    column = audit.c
    query = select(column.utc, column.by, column.text, column.hub).where(
        column.deed == Deed.CLAIM_REFUSED.value, column.utc >= since
    )
    rows = conn.execute(query.order_by(column.seq.desc()).limit(limit))
    return [
        Entry(row.utc, Deed.CLAIM_REFUSED, version=0, by=row.by, text=row.text, hub=row.hub)
        for row in rows
    ]


def put_backup(conn: Connection, hub: str, serial: str, body: bytes, now: float) -> bool:
    """Keep what a hub leaves here, the newest only; False: its home was removed.

    A removed hub is one of a home again when it has spoken; a home whose record was removed, when
    it has a record. A home that never had a record is one that waits for it.
    """
    if _is_removed(conn, hub):
        return False
    values = {"stored_utc": now, "serial": serial, "body": body}
    if not conn.execute(update(backups).where(backups.c.hub == hub).values(values)).rowcount:
        conn.execute(insert(backups).values(hub=hub, **values))
    return True


def _is_removed(conn: Connection, hub: str) -> bool:
    gone = select(hubs.c.hub).where(hubs.c.hub == hub, hubs.c.removed_utc.is_not(None))
    if conn.execute(gone).first() is not None:
        return True
    if conn.execute(select(records.c.hub).where(records.c.hub == hub)).first() is not None:
        return False
    deed = audit.c.deed == Deed.RECORD_REMOVED.value
    line = select(audit.c.seq).where(audit.c.hub == hub, deed)
    return conn.execute(line.limit(1)).first() is not None


def backup(conn: Connection, hub: str) -> Backup | None:
    """Return what a hub, or the one before it, left here."""
    row = conn.execute(select(backups).where(backups.c.hub == hub)).first()
    return None if row is None else shape(row, Backup)


def drop_backup(conn: Connection, hub: str) -> None:
    """Forget what a hub left here: it tells how its resident lives."""
    conn.execute(delete(backups).where(backups.c.hub == hub))


def _by_digits(conn: Connection, digits: str) -> Enrolment | None:
    """Return the request of these digits: one that still waits, rather than one that is over."""
    query = select(enrolments).where(_asked.digits == digits, _asked.digits != "")
    row = conn.execute(query.order_by(_asked.until_utc.desc()).limit(1)).first()
    return None if row is None else shape(row, Enrolment)


def _of_home(conn: Connection, wish: Claim) -> NotClaimed | None:
    if wish.known_home and not is_home(conn, wish.hub):
        return NotClaimed.UNKNOWN_HOME
    return NotClaimed.HAS_HUB if has_hub(conn, wish.hub) and not wish.replaces else None


def _make_room(conn: Connection, network: str, now: float, room: Room) -> bool:
    """Make a place for a network's new request; False where there is none."""
    still = _asked.state == State.WAITING.value
    conn.execute(delete(enrolments).where(still, _asked.until_utc < now - OVER_S))
    holding = _holding(conn, now)
    if sum(holding.values()) >= room.most:
        conn.execute(delete(enrolments).where(still, _asked.seen_utc < now - IDLE_S))
        holding = _holding(conn, now)
    gives = enrolment.crowded(holding, network, room.most, room.of_network)
    if gives:
        last = select(_asked.key).where(still, _asked.network == gives)
        one = conn.scalar(last.order_by(_asked.asked_utc.desc()).limit(1))
        conn.execute(delete(enrolments).where(_asked.key == one))
    return gives is not None


def _holding(conn: Connection, now: float) -> dict[str, int]:
    query = select(_asked.network, func.count())
    query = query.where(_asked.state == State.WAITING.value, _asked.until_utc > now)
    return {row[0]: row[1] for row in conn.execute(query.group_by(_asked.network))}


def _free(conn: Connection, digits: Callable[[], str]) -> str:
    """Return digits that no other request has."""
    while True:
        made = digits()
        if conn.scalar(select(_asked.key).where(_asked.digits == made).limit(1)) is None:
            return made


def _put(conn: Connection, one: Enrolment) -> Enrolment:
    values = {**msgspec.structs.asdict(one), "state": one.state.value}
    if not conn.execute(update(enrolments).where(_asked.key == one.key).values(values)).rowcount:
        conn.execute(insert(enrolments).values(values))
    return one


def _told(conn: Connection, deed: Deed, made: Certificate) -> None:
    write_line(
        conn, Entry(made.issued_utc, deed, version=0, by=made.by, text=made.serial, hub=made.hub)
    )


def all_waiting(conn: Connection) -> list[Enrolment]:
    """List the requests that wait, the newest first."""
    query = select(enrolments).where(_asked.state == State.WAITING.value)
    rows = conn.execute(query.order_by(_asked.asked_utc.desc()))
    return [shape(row, Enrolment) for row in rows]
