"""In every history: no call is lost or doubled, and only the centre closes one."""

from collections import Counter
from itertools import pairwise

import msgspec
from hypothesis import given
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Stage
from hub.contract.scaip import Kind, What
from hub.core.alarm import press
from hub.core.alarm.press import Transition
from hub.core.decide import decide, must_commit, recover
from hub.core.model.effects import Effect, Forget, Lane, Publish, Resend, Signal
from hub.core.model.events import BrokerAcked, CenterAcked, ContactChanged, Event
from hub.core.model.state import Accepted, Cancelled, Contact, HomeState, Present, Received, Sent
from tests.hub.core import scenes, wireless_scenes
from tests.hub.core.histories import RESTART, Move, event_of, examples, moves
from tests.hub.core.scenes import CORD, HELP, calls, offline, read, started

WIRELESS = wireless_scenes.RULES
RULES = replace(
    scenes.RULES, radio=WIRELESS.radio, phones=WIRELESS.phones, buttons=WIRELESS.buttons,
    sensors=WIRELESS.sensors,
)  # fmt: skip
RED = (HELP, CORD)
PRESSED = (What.RAISED, What.REPEATED)
BY_HAND = (Kind.HELP_BUTTON, Kind.PULL_CORD)


def waiting(state: HomeState) -> set[tuple[str, str]]:
    calls = ((a.id, c) for a in state.alarms for c in a.calls if c.again_at is not None)
    return {(alarm, c.device) for alarm, c in calls if c.kind in BY_HAND}


class Observer:
    """A model that follows a history beside the home, and counts what the home must not forget."""

    def __init__(self) -> None:
        self.state, self.at, self.boots = offline(), 0.0, 1
        self.contacts = dict.fromkeys(RED, Contact())
        self.ids, self.owed = Counter[str](), set[str]()
        self.heard = set[tuple[str, Stage]]()
        self.sent = set[str]()
        self.past: list[tuple[HomeState, Event, list[Effect]]] = []

    def live(self, history: list[Move]) -> None:
        for move in history:
            self.at += move.after_s
            if move.what == RESTART:
                self._restart(move)
            else:
                self._take(event_of(move, self.state, self.at))

    def _take(self, event: Event) -> None:
        before = self.state
        after, effects = decide(before, event, RULES)
        self.state = after
        self.past.append((before, event, effects))
        self._keeps_alarms(before, event)
        self._calls_once_per_press(before, event, effects)
        self._owes_until_acked(event, effects)
        self._is_durable(before, effects)
        self._tells_the_truth(event)

    def _restart(self, move: Move) -> None:
        self.at = float(move.pick) if move.flag else self.at
        self.boots += 1
        event = started(self.at, f"b{self.boots}")
        unsent = [*sorted(self.owed), *(["lost-1"] if move.version > 25 else [])]
        self.owed |= set(unsent)
        before = self.state
        self.state = recover(before, event, unsent)
        self.contacts = {d: self.state.contacts.get(d, Contact()) for d in RED}
        assert [a.id for a in self.state.alarms] == [a.id for a in before.alarms]
        assert {o.id for o in self.state.owed} == self.owed
        self._take(event)

    def _keeps_alarms(self, before: HomeState, event: Event) -> None:
        now = {a.id for a in self.state.alarms}
        assert len(now) == len(self.state.alarms)
        for gone in {a.id for a in before.alarms} - now:
            assert isinstance(event, CenterAcked)
            assert (event.alarm, event.stage) == (gone, Stage.CLOSED)

    def _presses(self, event: Event) -> int:
        found = list[Transition]()
        for device, contact in self.contacts.items():
            self.contacts[device], turns = press.elapse(contact, event.at, RULES)
            found += turns
        if isinstance(event, ContactChanged) and event.device in RED:
            contact = self.contacts[event.device]
            contact, turns = press.take_edge(contact, event.closed, event.at, RULES)
            self.contacts[event.device] = contact
            found += turns
        return found.count(Transition.PRESSED)

    def _calls_once_per_press(self, before: HomeState, event: Event, effects: list[Effect]) -> None:
        anew = isinstance(event, CenterAcked) and event.stage is Stage.UNKNOWN
        told = [e for e in calls(effects) if not (anew and self.ids[e.id])]
        data = [read(e).data for e in told if "anbu.alarm." in e.payload.decode()]
        pressed = [d for d in data if d.what in PRESSED and d.kind in BY_HAND]
        presses, old, now = self._presses(event), waiting(before), waiting(self.state)
        assert len(pressed) >= len(old - now)  # what waits ends only by being told
        assert pressed or now or not presses
        if not old:
            assert len(pressed) + len(now) == presses
        self.ids.update(e.id for e in told)
        kept = [e for e in effects if isinstance(e, Publish)]
        self.ids.update(e.id for e in kept if e.lane in {Lane.FAULT, Lane.TELEMETRY})
        assert max(self.ids.values(), default=0) <= 1

    def _owes_until_acked(self, event: Event, effects: list[Effect]) -> None:
        self.owed |= {e.id for e in calls(effects)}
        if isinstance(event, CenterAcked) and event.stage is not Stage.UNKNOWN:
            self.owed.discard(event.id)
        ids = [o.id for o in self.state.owed]
        assert len(ids) == len(set(ids))
        assert set(ids) == self.owed
        for effect in effects:
            if isinstance(effect, Resend):
                assert effect.id in self.ids or effect.id == "lost-1"
            elif isinstance(effect, Forget):
                assert effect.id not in self.owed

    def _is_durable(self, before: HomeState, effects: list[Effect]) -> None:
        published = [e for e in effects if isinstance(e, Publish)]
        for e in published:
            assert wire.decode_from_hub(e.topic, e.payload)
        parts = [
            (s.alarms, s.owed, s.faults, s.counter, s.wireless.taken) for s in (before, self.state)
        ]
        if parts[0] != parts[1] or any(e.lane <= Lane.FAULT for e in published):
            assert must_commit(before, self.state, effects)
        packed = msgspec.msgpack.encode(self.state)
        assert msgspec.msgpack.decode(packed, type=HomeState) == self.state

    def _tells_the_truth(self, event: Event) -> None:
        if isinstance(event, CenterAcked):
            self.heard.add((event.alarm, event.stage))
            if event.sent:
                self.sent.add(event.alarm)
        elif isinstance(event, BrokerAcked):
            self.heard.add((event.id, Stage.SENT))
        said = {Received: Stage.RECEIVED, Accepted: Stage.ACCEPTED, Sent: Stage.SENT}
        for alarm in self.state.alarms:
            stage = said.get(type(alarm.life))
            assert stage is None or (alarm.id, stage) in self.heard
            there = isinstance(alarm.life, Present)
            assert not there or (alarm.id, Stage.PRESENT) in self.heard or alarm.id in self.sent
        if any(not isinstance(a.life, Cancelled) for a in self.state.alarms):
            rest = {Signal.RESTING, Signal.FAULT, Signal.OFFLINE, Signal.CLOSED, Signal.CANCELLED}
            assert self.state.shown not in rest


@examples(250)
@given(moves())
def test_no_call_is_lost_or_doubled_or_ended_by_anyone_but_the_centre(history: list[Move]) -> None:
    Observer().live(history)


@examples(60)
@given(moves(restarts=False))
def test_the_same_events_give_the_same_effects(history: list[Move]) -> None:
    observer = Observer()
    observer.live(history)
    packed = msgspec.json.encode([(event, effects) for _, event, effects in observer.past])
    state = observer.past[0][0] if observer.past else observer.state
    for event, effects in msgspec.json.decode(packed, type=list[tuple[Event, list[Effect]]]):
        state, again = decide(state, event, RULES)
        assert again == effects
    assert state == observer.state


@examples(60)
@given(moves())
def test_a_decision_leaves_the_state_that_it_was_given_as_it_was(history: list[Move]) -> None:
    observer = Observer()
    observer.live(history)
    for (before, event, effects), (_, _, _) in pairwise([*observer.past, *observer.past[-1:]]):
        assert decide(replace(before), event, RULES)[1] == effects
