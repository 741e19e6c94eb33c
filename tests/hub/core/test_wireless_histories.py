"""In every history of frames, crashes and replays each press of a pendant is one call."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, Stage
from hub.contract.radio import How, Sensed
from hub.contract.scaip import Kind, What
from hub.core.decide import decide, must_commit, next_wake, recover
from hub.core.model.effects import Effect, Publish, Took
from hub.core.model.events import (
    CenterAcked,
    DevicesChanged,
    Event,
    RangeChanged,
    Started,
    Ticked,
    WirelessPressed,
)
from hub.core.model.state import HomeState
from tests.hub.core.histories import examples
from tests.hub.core.scenes import UTC
from tests.hub.core.wireless_scenes import BOILER, KITCHEN, PENDANT, RULES, SINK, found

NEVER_LATE = replace(RULES, repeat_s=1e-9)  # so that no further call waits to be told
CALLS = (What.RAISED, What.REPEATED)
DETECTORS = ((KITCHEN, Sensed.SMOKE), (BOILER, Sensed.CARBON_MONOXIDE), (SINK, Sensed.MOISTURE))


class Move(Struct, frozen=True):
    """What happens, how long after the last one; `crash`: the hub dies, and before what."""

    what: str
    after_s: float
    pick: int = 0
    flag: bool = False
    crash: str = ""


class Observer:
    """A pendant, its radio and the hub's disk, beside the hub's state."""

    def __init__(self) -> None:
        self.at, self.boots, self.epoch, self.counter = 0.0, 0, 0, 1_000_000
        self.frames: list[WirelessPressed] = []
        self.owed: dict[str, tuple[float, WirelessPressed]] = {}
        self.calls = Counter[str]()
        self.state = self.disk = HomeState()
        self.start()

    def live(self, moves: list[Move]) -> None:
        for move in moves:
            self.do(move)
        self.crash()
        assert not self.owed, "the radio may forget what is committed, and is told so"
        assert set(self.calls) == {frame.mark for frame in self.frames}, "no press is lost"
        assert max(self.calls.values(), default=1) == 1, "none calls twice"

    def do(self, move: Move) -> None:
        self.at += move.after_s
        for event in self._events(move):
            self.take(event, move.crash)

    def start(self) -> None:
        self.boots += 1
        event = Started(self.at, UTC + self.at, synced=True, boot=f"b{self.boots}")
        self.state = recover(self.disk, event, [o.id for o in self.disk.owed])
        self.take(event)
        for told_at, press in list(self.owed.values()):
            self.take(replace(press, at=min(told_at, self.at)))

    def crash(self) -> None:
        packed = msgspec.msgpack.encode(self.disk)
        self.disk = msgspec.msgpack.decode(packed, type=HomeState)
        self.start()

    def take(self, event: Event, crash: str = "") -> None:
        before = self.state
        self.state, effects = decide(before, event, NEVER_LATE)
        assert (next_wake(self.state, NEVER_LATE) or 1e300) > -1e300
        if crash == "before the commit":
            self.crash()
            return
        self._tell(event, effects)
        if must_commit(before, self.state, effects):
            self.disk = self.state
        if crash == "after the commit":
            self.crash()
            return
        for effect in effects:
            if isinstance(effect, Took):
                self.owed.pop(effect.id)

    def _tell(self, event: Event, effects: list[Effect]) -> None:
        """Count the calls that are told, each under the press that made it."""
        for effect in effects:
            if not (isinstance(effect, Publish) and effect.topic.endswith("/event")):
                continue
            message = wire.decode_from_hub(effect.topic, effect.payload)[1]
            assert isinstance(message, AlarmEvent)
            if message.data.kind is Kind.PENDANT and message.data.what in CALLS:
                assert isinstance(event, WirelessPressed)
                self.calls[event.mark] += 1

    def _events(self, move: Move) -> list[Event]:
        at = self.at
        match move.what:
            case "press":
                self.counter += 1 + move.pick % 3
                return [self._hear(self._frame(), at)]
            case "battery":
                self.epoch, self.counter = self.epoch + 1, move.pick
                return []
            case "again" if self.frames:
                return [self._hear(self.frames[move.pick % len(self.frames)], at)]
            case "detector":
                device, what = DETECTORS[move.pick % len(DETECTORS)]
                return [found(at, device, what, on=move.flag)]
            case "range":
                return [RangeChanged(at, KITCHEN, near=move.flag)]
            case "list":
                return [DevicesChanged(at, "7" if move.flag else "")]
            case "close":
                return [CenterAcked(at, a.id, a.id, Stage.CLOSED, 9) for a in self.state.alarms]
            case _:
                return [Ticked(at)]

    def _frame(self) -> WirelessPressed:
        mark = f"{self.epoch}-{self.counter}"
        frame = WirelessPressed(
            self.at, PENDANT, "", How.PRESS, 1, self.counter % 256, self.counter, mark
        )
        self.frames.append(frame)
        return frame

    def _hear(self, frame: WirelessPressed, at: float) -> WirelessPressed:
        press = replace(frame, at=at, id=f"{len(self.owed)}-{at}-{frame.mark}")
        self.owed[press.id] = at, press
        return press


waits = st.sampled_from([0.0, 0.1, 1.0, 5.0, 30.0, 61.0, 601.0, 1_200.0])
rare = ["battery", "range", "list", "close", "wait"]
whats = st.sampled_from([*["press"] * 3, *["again", "detector"] * 2, *rare])
crashes = st.sampled_from(["", "", "", "", "before the commit", "after the commit"])
moves = st.lists(
    st.builds(Move, whats, waits, st.integers(0, 30), st.booleans(), crashes), max_size=28
)


@examples(60)
@given(moves)
def test_each_press_is_one_call_through_crashes_repeats_and_replays(history: list[Move]) -> None:
    Observer().live(history)


@examples(40)
@given(moves)
def test_a_hazard_ends_only_by_a_person(history: list[Move]) -> None:
    observer = Observer()
    for move in history:
        before = {a.id for a in observer.state.alarms}
        observer.do(move)
        gone = before - {a.id for a in observer.state.alarms}
        assert move.what == "close" or not gone
