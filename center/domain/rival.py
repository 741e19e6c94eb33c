"""Whether this centre is the one that the hubs' calls go to, from births at the broker. Pure.

Two centres with one configuration (a restored copy, a test machine) show the same certificate, and
the broker gives them one session in turn. Each would throw the other off and take a share of the
calls. So a centre that connects looks at the retained birth before it takes in anything: where
another one is online it leaves, and looks again later. Its look throws the other off, which comes
back and says its birth anew; where it did not, it is gone, and the calls are ours.
"""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.messages import CenterState


class Claim(Struct, frozen=True):
    """Who we are, and whom we have seen. `database` and `boot` are as in `CenterState`."""

    database: str
    boot: str
    was_up: bool = False  # this process has been the centre before
    rival: CenterState | None = None  # the other's birth, as it was when we looked last


def look(claim: Claim, birth: CenterState | None) -> Claim:
    """Judge the birth that lies at the broker: without a `rival` we are the centre.

    A process that starts on the database of the last birth is that centre's next process: it was
    ended too hard for its last will. Older centres give no names: at start they are taken for one
    of those, later for another.
    """
    return replace(claim, rival=birth if birth and _is_another(claim, birth) else None)


def was_renewed(before: Claim, now: Claim) -> bool:
    """Tell whether the rival lives: it has said its birth again between two looks."""
    return before.rival is not None and now.rival is not None


def _is_another(claim: Claim, birth: CenterState) -> bool:
    if not birth.online or (birth.boot and birth.boot == claim.boot):
        return False
    if not claim.was_up and claim.rival is None and birth.database in {"", claim.database}:
        return False
    return birth != claim.rival
