"""Test mode: a lease of a home's presses, held by the centre. Pure.

A press by hand or voice that comes in while the lease stands rings nobody for `TEST_S`: it waits
for somebody to say that it was the test. Whatever is in doubt is a call: see `waits_until`. A
lease ends by itself, and no message of a hub begins, lengthens or restores one.
"""

from enum import StrEnum

from msgspec import Struct

from center.domain.incident import TEST_S
from hub.contract.messages import AlarmData
from hub.contract.scaip import BY_HAND, What

LASTS_S = 900.0  # of a lease: one round through a home with a person at the centre
LEAST_S, LONGEST_S = 60.0, 3600.0
AHEAD_S = 5.0  # a synchronised hub's clock may be ahead of the centre's by this


class WhyNot(StrEnum):
    """Why a lease was not begun."""

    NO_HUB = "no_hub"  # the home has none, or it was removed
    NO_LINK = "no_link"  # the centre is not connected: the home could not show it
    HAS_ONE = "has_one"  # it stands already, perhaps by somebody else
    NOT_YOURS = "not_yours"  # an installer: only where they install, and have claimed the hub
    BAD_LENGTH = "bad_length"  # shorter than `LEAST_S`, or longer than `LONGEST_S`


class Lease(Struct, frozen=True):
    """A lease; `id` is that of the command by which the home was told. Times: centre's UTC."""

    id: str
    hub: str
    by: str
    since_utc: float
    until_utc: float
    boot: str = ""  # of the hub that shows it
    shown_utc: float | None = None  # since when the home shows it; None: it has not said so
    ended_utc: float | None = None  # before its time
    ended_by: str = ""

    def stands(self, utc: float) -> bool:
        """Whether it is neither over nor ended; a clock that was set back ends it, too."""
        return self.ended_utc is None and self.since_utc <= utc < self.until_utc


def waits_until(lease: Lease, data: AlarmData, happened_utc: float, utc: float) -> float | None:
    """Return until when a call received at `utc` waits as a test; None: it is real at once.

    A test is only a first press by a person, in the boot whose lamp shows the lease, and made, by a
    clock that can be trusted, since it was shown. One that was on its way for long has waited for
    that long already.
    """
    if data.kind not in BY_HAND or data.what is not What.RAISED or not data.synced:
        return None
    if not lease.stands(utc) or lease.shown_utc is None or data.boot != lease.boot:
        return None
    if not lease.shown_utc <= happened_utc <= utc + AHEAD_S:
        return None
    until = min(lease.until_utc, happened_utc + TEST_S, utc + TEST_S)
    return until if utc < until else None
