"""What the broker must refuse, in two files that its own helper takes up.

    BROKER_DIR/denied   hubs that have no valid certificate, one a line
    BROKER_DIR/crl.pem  the authority's revocation list

Each is written whole, and anew each day: a list that ends would lock everybody out.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

from center.authority import signing
from center.service.desk import Desk
from center.service.strangers import Registry
from center.store.rows import enrolments
from hub.shared.files import write_whole

DENIED, CRL = "denied", "crl.pem"
AGAIN_S = 86_400.0
READ_BY_ALL = 0o644  # there is no secret in them, and the broker is another user


class Written(Struct, frozen=True):
    """What was written last: how many certificates there were, and revoked ones; UTC seconds."""

    count: tuple[int, int]
    utc: float


async def publish(desk: Desk, last: Written | None) -> Written | None:
    """Write the files where a certificate came or was revoked since `last`, or a day is over.

    Return what is written now. Raises `OSError`, and of the store.
    """
    registry = desk.registry
    if registry is None or not registry.settings.broker_dir:
        return last
    now, count = desk.clock(), await desk.store.ask(enrolments.count)
    if last is not None and last.count == count and 0 <= now - last.utc < AGAIN_S:
        return last
    serials, hubs = await desk.store.ask(enrolments.struck_off, now)
    await asyncio.to_thread(_write, registry, serials, hubs, now)
    return Written(count, now)


def _write(own: Registry, serials: dict[str, float], hubs: tuple[str, ...], now: float) -> None:
    folder = Path(own.settings.broker_dir)
    folder.mkdir(parents=True, exist_ok=True)
    made = signing.revocation_list(own.authority, serials, now)
    write_whole(folder / CRL, made, READ_BY_ALL)
    write_whole(folder / DENIED, "".join(f"{hub}\n" for hub in hubs).encode(), READ_BY_ALL)
