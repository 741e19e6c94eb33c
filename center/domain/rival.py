"""Whether another centre is connected with the same certificate, by births at the broker. Pure.

Two centres with one configuration (a restored copy, a test machine) show the same certificate, and
the broker keeps one session for both: each connect disconnects the other, and each would get a part
of the calls. So a centre that connects reads the retained birth before it receives anything. Where
another centre is online, this one disconnects and looks again later. Its look disconnects the
other, which connects again and publishes a new birth; if there is no new birth, the other is gone.
"""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import CenterState


class Claim(Struct, frozen=True):
    """This centre, and the other one that it has seen. `database`, `boot`: see `CenterState`."""

    database: str
    boot: str
    was_up: bool = False  # this process has been the centre before
    rival: CenterState | None = None  # the other's birth, as of the last look


def look(claim: Claim, birth: CenterState | None) -> Claim:
    """Return the claim after reading the retained birth; without a `rival` this is the centre.

    A process that starts on the database of the last birth follows that centre: it was killed
    before the broker sent its last will. A birth of an older release has no database: at the start
    of this process it counts as our own, later as another's.
    """
    return replace(claim, rival=birth if birth and _is_another(claim, birth) else None)


def was_renewed(before: Claim, now: Claim) -> bool:
    """Return whether the rival is alive: it published a new birth between two looks."""
    return before.rival is not None and now.rival is not None


def _is_another(claim: Claim, birth: CenterState) -> bool:
    if not birth.online or (birth.boot and birth.boot == claim.boot):
        return False
    if not claim.was_up and claim.rival is None and birth.database in {"", claim.database}:
        return False
    return birth != claim.rival
