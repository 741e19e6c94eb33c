"""Whether two machines speak in one hub's name: a copied card, a stolen key. Pure.

    boot a ── boot b ── boot a again     two machines, and each has disconnected the other

A process draws its boot's id at random when it starts, so an id that comes back after another one
is no restart, nor a hub that was put back from a backup: both begin a boot that nobody has seen.
The broker may deliver an old message again: what comes back must be newer by that machine's own
clock.
"""

from collections.abc import Sequence

from msgspec import Struct


class Boot(Struct, frozen=True):
    """A boot of a hub: its own clock in its newest state, and when the centre heard that. UTC."""

    boot: str
    said_utc: float
    heard_utc: float


def is_news(known: Sequence[Boot], boot: str, said_utc: float) -> bool:
    """Whether a state tells more than what is known of its boot."""
    return all(one.boot != boot or one.said_utc < said_utc for one in known)


def other(known: Sequence[Boot], boot: str, said_utc: float) -> str:
    """Return the boot of the machine that shares the name with the one that speaks; "": none does.

    `known`: the boots of this hub, as they were before.
    """
    if not known or boot not in {one.boot for one in known}:
        return ""
    last = max(known, key=lambda one: one.heard_utc).boot
    return last if last != boot and is_news(known, boot, said_utc) else ""


def pair(known: Sequence[Boot]) -> tuple[Boot, ...]:
    """Return the two machines that spoke last, the newest first."""
    return tuple(sorted(known, key=lambda one: one.heard_utc, reverse=True)[:2])
