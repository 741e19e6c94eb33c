"""Random histories: everything that may happen to a home, at any time, in any order.

A `Move` says what happens next; which alarm, event or command it is about is picked from the state
that the home is in by then, so that most moves mean something.
"""

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from msgspec import Struct

from hub.contract.messages import Command, CommandKind, Stage
from hub.contract.provision import Part as SetupPart
from hub.contract.provision import Way
from hub.contract.radio import How, Part, Sensed, Wanted
from hub.contract.wire import LinkTrouble
from hub.core.model.events import (
    BrokerAcked,
    BrokerRefused,
    CenterAcked,
    CenterBorn,
    ClaimChanged,
    ClockCompared,
    CommandReceived,
    ContactChanged,
    DevicesChanged,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    LinkDown,
    LinkUp,
    Measured,
    NetworkChanged,
    PairingAsked,
    PairingEnded,
    PairingOpened,
    RadioPartChanged,
    RangeChanged,
    Registered,
    SetupPartChanged,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
    Ticked,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.state import HomeState
from tests.hub.core.scenes import CORD, GREEN, HELP, UTC, started
from tests.hub.core.wireless_scenes import HALL, KITCHEN, PENDANT, PHONE, RADIO, WRISTLET

T = TypeVar("T")
FULL = 20  # how much longer ANBU_TESTS=full looks


def examples(count: int) -> settings:
    """Look at `count` examples, or at many more where there is time."""
    return settings(max_examples=count * (FULL if os.environ.get("ANBU_TESTS") == "full" else 1))


class Move(Struct, frozen=True):
    """What happens, how long after the last one; `pick` and the rest say to whom and how."""

    what: str
    after_s: float
    pick: int = 0
    version: int = 0
    flag: bool = False
    text: str = ""


STAGES = (*Stage, Stage.RECEIVED, Stage.ACCEPTED, Stage.CLOSED, Stage.UNKNOWN)
DEVICES = (HELP, CORD, GREEN, "door")
Make = Callable[[Move, HomeState, float], Event]


def _of(found: list[T], pick: int, otherwise: T) -> T:
    return found[pick % len(found)] if found else otherwise


def _some_id(move: Move, state: HomeState) -> str:
    return _of([*(o.id for o in state.owed), *(a.id for a in state.alarms)], move.pick, move.text)


def _contact(move: Move, _: HomeState, at: float) -> Event:
    return ContactChanged(at, DEVICES[move.pick % len(DEVICES)], move.flag)


def _center(move: Move, state: HomeState, at: float) -> Event:
    alarm = _of([a.id for a in state.alarms], move.pick, move.text)
    stage = STAGES[move.version * 7 % len(STAGES)]
    event = _some_id(move, state) if move.flag else ""
    sent = move.pick % 2 == 1
    return CenterAcked(at, event, alarm, stage, move.version // 3, move.text, sent)


def _command(move: Move, _: HomeState, at: float) -> Event:
    kinds = [k for k in CommandKind if k is not CommandKind.ANSWER_PAIRING or move.flag]
    kind = kinds[move.pick % len(kinds)]
    command = Command(move.text, kind, move.version, UTC + at + move.pick - 5, move.text)
    return CommandReceived(at, UTC + at, command)


def _radio(move: Move, _: HomeState, at: float) -> Event:
    wanted = list(Wanted)[move.pick % len(Wanted)]
    events: list[Event] = [
        PairingOpened(at, 1.0 + move.pick),
        PairingAsked(at, move.text, wanted, "470192" if move.flag else ""),
        PairingEnded(at, move.text, done=move.flag, open=move.pick % 2 == 1),
    ]
    return events[move.version % len(events)]


def _trouble(move: Move, _: HomeState, at: float) -> Event:
    device = DEVICES[move.pick % len(DEVICES)]
    trouble = list(StorageTrouble)[move.pick % len(StorageTrouble)]
    events: list[Event] = [
        DriverFailed(at, device, move.text),
        DriverReady(at, device),
        StorageFailed(at, trouble),
        StorageRecovered(at),
        Measured(at, {move.text: move.after_s}, move.pick),
        CenterBorn(at),
    ]
    return events[move.version % len(events)]


def _wireless(move: Move, _: HomeState, at: float) -> Event:
    device = (PENDANT, WRISTLET, KITCHEN, HALL, PHONE)[move.pick % 5]
    how, what = list(How)[move.pick % len(How)], list(Sensed)[move.version % len(Sensed)]
    counter = (move.version // 3) * 70_000 if move.flag else None
    events: list[Event] = [
        WirelessPressed(at, device, move.text, how, 1, move.version, counter, move.text),
        WirelessFound(at, device, what, move.flag),
        RangeChanged(at, device, move.flag),
        RadioPartChanged(at, device, list(Part)[move.version % len(Part)], move.flag, move.text),
        DevicesChanged(at, move.text if move.flag else ""),
        DriverFailed(at, RADIO, move.text),
        DriverReady(at, RADIO),
    ]
    return events[(move.version + move.pick) % len(events)]


def _setup(move: Move, _: HomeState, at: float) -> Event:
    parts, ways = list(SetupPart), list(Way)
    events: list[Event] = [
        ClaimChanged(at, "40718235" if move.flag else ""),
        Registered(at, "js-0001" if move.flag else move.text),
        NetworkChanged(at, ways[move.pick % len(ways)], move.text, trouble=move.text),
        ClockCompared(at, move.after_s),
        SetupPartChanged(at, "provision", parts[move.pick % len(parts)], move.flag, move.text),
    ]
    return events[move.version % len(events)]


MAKE: dict[str, Make] = {
    "setup": _setup,
    "wireless": _wireless,
    "contact": _contact,
    "center": _center,
    "broker": lambda move, state, at: BrokerAcked(at, _some_id(move, state)),
    "refused": lambda move, state, at: BrokerRefused(at, _some_id(move, state)),
    "command": _command,
    "trouble": _trouble,
    "radio": _radio,
    "link": lambda move, _, at: (
        LinkUp(at, move.text) if move.flag else LinkDown(at, LinkTrouble.CLOSED)
    ),
    "heartbeat": lambda move, _, at: Heartbeat(at, UTC + at + move.pick, move.flag),
    "started": lambda move, _, at: started(at, f"b{move.pick}", synced=move.flag),
    "tick": lambda _, __, at: Ticked(at),
}
RESTART = "restart"  # the process ends and begins again; no event of the home


def event_of(move: Move, state: HomeState, at: float) -> Event:
    """Make the move's event, about something that `state` knows."""
    return MAKE[move.what](move, state, at)


_often = (
    ["contact"] * 8 + ["wireless"] * 4 + ["center"] * 5 + ["link", "broker", "command", "trouble"]
)
steps = st.one_of(
    st.sampled_from([0.0, 0.02, 0.036, 0.1, 3.0, 5.0, 10.0, 30.0, 61.0]),
    st.floats(0.0, 0.1),
    st.floats(0.0, 700.0),
    st.floats(-20.0, 0.0),  # an edge that comes late by its own time
    st.sampled_from([-1e5, 1e6]),  # worse than any clock
)


def moves(*, restarts: bool = True) -> st.SearchStrategy[list[Move]]:
    """Histories, with or without restarts of the process."""
    kinds = [*_often, *MAKE, *([RESTART] if restarts else [])]
    small = st.integers(0, 9)
    text = st.one_of(st.sampled_from(["", "a"]), st.text(max_size=5))
    move = st.builds(
        Move, st.sampled_from(kinds), steps, small, st.integers(0, 30), st.booleans(), text
    )
    return st.lists(move, max_size=50)
