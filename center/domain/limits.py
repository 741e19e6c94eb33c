"""The limits of a home beyond which its hub asks the resident, and then calls. Pure.

waiting --hub has them--> at_hub      waiting --refused for good--> refused, and tried again later
any --changed, or the hub reports others--> waiting
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from center.domain.announcement import FIRST_S, LONGEST_S, PASSING
from hub.contract.border import Open
from hub.contract.messages import Reply, VitalLimits
from hub.contract.wire import Reason
from hub.shared.backoff import exponential_s

LATE = PASSING | {Reason.NOT_NOW.value}
NEVER_S = 1e10  # three hundred years
AGAIN_S = 3600.0  # a hub that refused may have a newer program by then
NONE = VitalLimits()
DEFAULTS = VitalLimits(  # what a hub uses where nothing is set, to be shown; its own rules decide
    high_rest_bpm=120.0,
    high_s=600.0,
    low_bpm=40.0,
    low_s=600.0,
    low_oxygen_pct=90.0,
    high_systolic_mmhg=180.0,
    low_systolic_mmhg=90.0,
    high_diastolic_mmhg=120.0,
)


class Fate(Open):
    """Where the limits stand."""

    WAITING = "waiting"  # not yet at the hub
    AT_HUB = "at_hub"
    REFUSED = "refused"  # `reason` says why; `Reason.UNKNOWN`: its program is too old


class Kept(Struct, frozen=True):
    """A home's limits as stored; version 0: none were ever set, and the hub has its defaults.

    `due_utc` is when to send them (again); `over_utc` when the hub took or refused them.
    """

    hub: str
    version: int = 0
    changed_utc: float = 0.0
    changed_by: str = ""
    limits: VitalLimits = NONE
    fate: Fate = Fate.AT_HUB
    due_utc: float = 0.0
    tries: int = 0
    refusals: int = 0
    reason: str = ""
    sent_utc: float | None = None
    over_utc: float | None = None

    @property
    def command(self) -> str:
        """The id of the command that takes them to the hub."""
        return f"limits-{self.version}-{int(self.changed_utc)}"


def set_anew(held: Kept, limits: VitalLimits, by: str, utc: float) -> Kept:
    """Return the limits after somebody changed them: to be sent at once."""
    version = held.version + 1
    return Kept(held.hub, version, utc, by, limits, Fate.WAITING, due_utc=utc)


def of_another(held: Kept, limits: VitalLimits, utc: float) -> Kept:
    """Return limits with which the hub forgets what it has learned of a body; sent at once."""
    return set_anew(held, replace(limits, since_utc=max(utc, held.limits.since_utc)), "", utc)


def when_back(held: Kept, utc: float) -> Kept:
    """Return the same for a hub that is removed: nothing is sent until it is heard again."""
    kept = of_another(held, NONE, utc)
    return replace(kept, due_utc=utc + NEVER_S, sent_utc=utc)


def sent(held: Kept, utc: float) -> Kept:
    """Return the limits after a try; due again unless the hub replies."""
    pause_s = exponential_s(held.tries + 1, first_s=FIRST_S, longest_s=LONGEST_S)
    if held.fate is Fate.REFUSED:
        pause_s = AGAIN_S
    return replace(held, tries=held.tries + 1, sent_utc=utc, due_utc=utc + pause_s)


def replied(held: Kept, reply: Reply, utc: float) -> Kept | None:
    """Return the limits after the hub's reply to a try; None where it is of an older command."""
    if reply.id != held.command:
        return None
    if reply.done:
        return replace(held, fate=Fate.AT_HUB, reason="", over_utc=utc)
    if reply.reason in LATE:  # too late, out of order, not now: the next try will do
        return replace(held, refusals=held.refusals + 1)
    return replace(
        held,
        fate=Fate.REFUSED,
        refusals=held.refusals + 1,
        reason=reply.reason,
        due_utc=utc + AGAIN_S,
        over_utc=utc,
    )


def reported(held: Kept, said: VitalLimits | None, utc: float) -> Kept | None:
    """Return the limits after the hub's state showed which it has; None where nothing follows.

    A hub that was set up anew has none; so has one of an older program, which refuses them again.
    """
    if not held.version or held.fate is Fate.REFUSED:
        return None
    said = said or NONE
    if said == held.limits:
        return None if held.fate is Fate.AT_HUB else replace(held, fate=Fate.AT_HUB, over_utc=utc)
    if held.fate is Fate.AT_HUB:
        if replace(held.limits, since_utc=0.0) == said:  # an older program, or nothing was learned
            return None
        return replace(held, fate=Fate.WAITING, due_utc=utc, tries=0)
    return None


def is_too_old(held: Kept) -> bool:
    """Return whether the hub's program does not know limits."""
    return held.fate is Fate.REFUSED and held.reason == Reason.UNKNOWN


def changed(before: VitalLimits, after: VitalLimits) -> tuple[str, ...]:
    """Return what a person changed, for the audit: `name=value`; `name=`: the default again."""
    names = [field.name for field in msgspec.structs.fields(VitalLimits)]
    names.remove("since_utc")
    return tuple(
        f"{name}={_plain(getattr(after, name))}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    )


def _plain(value: bool | float | None) -> str:  # noqa: FBT001 - a value, no switch
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else f"{value:g}"
