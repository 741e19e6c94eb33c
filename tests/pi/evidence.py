"""What a power-cut test compares: presses, durable rows and the centre's table."""

from dataclasses import dataclass, field

REACH_S = 0.030  # an edge's kernel time may lie a little before the finger's own stamp
LATE_S = 1.0  # and an emulated core sees it up to this much later (0.33 s was measured)


@dataclass
class Cut:
    """One life of the machine, from boot to cut: what was pressed, and what was then durable."""

    fingers: list[float] = field(default_factory=list)  # guest monotonic seconds
    durable: dict[str, float] = field(default_factory=dict)  # event id -> seconds when seen
    inherited: set[str] = field(default_factory=set)  # event ids from earlier lives on the card

    @property
    def boots(self) -> set[str]:
        """The hub's boot ids, with which event ids begin: of one life there is one."""
        return {id_.rpartition("-")[0] for id_ in self.durable}


@dataclass(frozen=True)
class Stored:
    """An event of an alarm as the centre has it."""

    id: str
    boot: str
    at: float
    stored_utc: float


def lost(cuts: list[Cut], stored: list[Stored]) -> set[str]:
    """Event ids that were durable on the Pi at a cut and that the centre does not have."""
    promised = {id_ for cut in cuts for id_ in {*cut.durable, *cut.inherited}}
    return promised - {event.id for event in stored}


def doubled(cuts: list[Cut], stored: list[Stored]) -> list[str]:
    """Event ids beyond one for each finger: a finger's second event, or one that has no finger.

    Fingers and events are paired in order, since an emulated core may see an edge late.
    """
    fingers = {boot: sorted(cut.fingers) for cut in cuts for boot in cut.boots}
    found, ids = [], set()
    for event in sorted(stored, key=lambda event: event.at):
        waiting = fingers.get(event.boot, [])
        while waiting and event.at - waiting[0] > LATE_S:
            waiting.pop(0)
        if event.id in ids or not waiting or waiting[0] > event.at + REACH_S:
            found.append(event.id)
        else:
            waiting.pop(0)
        ids.add(event.id)
    return found
