"""A home and its centre together: in every history the lamp shows the state at the centre."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection

from center.domain import acks, by_people
from center.domain.by_people import PATIENCE, Act
from center.domain.incident import Change, Incident, Outcome
from center.service import incidents
from center.service.intake import Received, store_message
from center.store.rows import incidents as incident_rows
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract import wire
from hub.contract.messages import Ack, Stage
from hub.contract.wire import LinkTrouble
from hub.core.alarm.signals import SIGNAL
from hub.core.decide import decide, recover
from hub.core.model.effects import Effect, Publish, Resend, Signal
from hub.core.model.events import CenterAcked, ContactChanged, Event, LinkDown, LinkUp, Ticked
from hub.core.model.state import STAGE, Cancelled, HomeState
from tests.center.making import NAMES, stored
from tests.hub.core.histories import examples
from tests.hub.core.scenes import GREEN, RULES, UTC, press, reboot, started

DAY_S = 86_400.0


class Both:
    """A hub's core and a centre's store, with a link that may lose what neither of them stores."""

    def __init__(self, store: Store) -> None:
        self.store, self.at, self.boots, self.up = store, 0.0, 1, False
        self.kept = dict[str, Publish]()
        self.state = reboot(HomeState(), 0.0, "b1")
        self.link(up=True)

    def hub(self, *events: Event) -> None:
        for event in events:
            self.at = max(self.at, event.at)
            self.state, effects = decide(self.state, event, RULES)
            self._carry(effects)

    def _carry(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                self.kept[effect.id] = effect
                self._to_centre(effect)
            elif isinstance(effect, Resend):
                self._to_centre(self.kept[effect.id])

    def _to_centre(self, sent: Publish) -> None:
        if not self.up:
            return
        hub, message = wire.decode_from_hub(sent.topic, sent.payload)
        received = Received(hub, message, sent.payload.decode(), retained=False, utc=UTC + self.at)
        for ack in self.store.submit(lambda conn: store_message(conn, received)).result(10).acks:
            self.to_hub(ack)

    def to_hub(self, ack: Ack) -> None:
        if self.up:
            said = (ack.event, ack.alarm, ack.stage, ack.version, ack.who, ack.sent)
            self.hub(CenterAcked(self.at, *said))

    def link(self, *, up: bool) -> None:
        self.up = up
        event = LinkUp(self.at, "b") if up else LinkDown(self.at, LinkTrouble.CLOSED)
        self.hub(event)

    def press(self) -> None:
        self.hub(*press(self.at + 0.1))

    def hold_green(self) -> None:
        down = ContactChanged(self.at + 0.1, GREEN, closed=True)
        self.hub(down, Ticked(self.at + 3.2), ContactChanged(self.at + 3.3, GREEN, closed=False))
        self.hub(Ticked(self.at + 1.0))

    def restart(self) -> None:
        self.up, self.boots = False, self.boots + 1
        event = started(self.at, f"b{self.boots}")
        self.state = recover(self.state, event, [owed.id for owed in self.state.owed])
        self.hub(event)  # a start may publish: a repeat that was held back goes out now

    def wait(self, pause_s: float) -> None:
        self.hub(Ticked(self.at + pause_s))
        back = self.store.submit(lambda conn: incidents.give_back(conn, self.utc, PATIENCE))
        for incident in back.result(10):
            self.to_hub(acks.of_stage(incident, self.utc))

    @property
    def utc(self) -> float:
        return UTC + self.at

    def open_ones(self) -> list[Incident]:
        return self.store.read(incident_rows.incidents, Which.OPEN)

    def act(self, verb: str, who: str, pick: int = 0) -> None:
        opened = sorted(self.open_ones(), key=lambda one: one.id)
        if not opened:
            return
        ident = opened[pick % len(opened)].id

        def job(conn: Connection) -> Incident | None:
            incident = incident_rows.incident(conn, ident)
            assert incident
            act = Act(who, self.utc)
            if verb == "close":
                decided = by_people.close(incident, act, Outcome.HELP_GIVEN)
            else:
                does = {
                    "take": by_people.take,
                    "send": by_people.send,
                    "present": by_people.present,
                }
                decided = does[verb](incident, act)
            return incident_rows.save(conn, decided) if isinstance(decided, Change) else None

        changed = self.store.submit(job).result(10)
        if changed:
            self.to_hub(acks.of_stage(changed, self.utc))

    def settle(self) -> None:
        """Connect the link for a while: state messages are sent, and their answers arrive."""
        if not self.up:
            self.link(up=True)
        for _ in range(4):
            self.hub(Ticked(self.at + 11.0))

    def agrees(self) -> None:
        """Check that hub and centre have the same state, and that the lamp shows no more."""
        held = {one.alarm: one for one in self.open_ones()}
        known = {a.id: a for a in self.state.alarms}
        assert known.keys() == held.keys()
        calling = [a for a in known.values() if not isinstance(a.life, Cancelled)]
        for alarm in calling:
            assert STAGE[type(alarm.life)] is held[alarm.id].stage
            assert alarm.sent == (held[alarm.id].sent_utc is not None)
        if self.state.shown in {Signal.ACCEPTED, Signal.PRESENT}:
            assert {SIGNAL[type(a.life)] for a in calling} <= {Signal.ACCEPTED, Signal.PRESENT}
            assert all(held[a.id].stage is not Stage.RECEIVED for a in calling)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    with stored(tmp_path) as store:
        yield Both(store)


def test_a_press_three_days_after_somebody_was_on_site_calls_everybody(both: Both) -> None:
    both.press()
    both.act("present", NAMES[0])
    assert both.state.shown is Signal.PRESENT
    both.at += 3 * DAY_S  # nobody closed it, and the rounds did not run either
    both.press()
    (one,) = both.open_ones()
    assert (one.needs_person, both.state.shown) == (True, Signal.RECEIVED)


def test_that_somebody_is_on_site_runs_out_and_the_lamp_with_it(both: Both) -> None:
    both.press()
    both.act("present", NAMES[0])
    both.link(up=False)
    both.wait(PATIENCE.present_expires_s)
    assert both.open_ones()[0].needs_person
    both.settle()
    assert both.state.shown is Signal.RECEIVED


def test_the_resident_alone_can_not_say_that_somebody_is_there(both: Both) -> None:
    both.press()
    both.act("take", NAMES[0])
    both.hold_green()
    (one,) = both.open_ones()
    assert (one.stage, both.state.shown) == (Stage.ACCEPTED, Signal.ACCEPTED)
    both.act("send", NAMES[0])
    both.hold_green()
    (one,) = both.open_ones()
    assert (one.stage, both.state.shown) == (Stage.PRESENT, Signal.PRESENT)


def test_a_hub_of_an_older_release_is_put_right_when_it_says_that_somebody_is_there(
    both: Both,
) -> None:
    """Such a hub takes a long green press for a responder once somebody has taken the call."""
    both.press()
    both.act("take", NAMES[0])
    older = tuple(replace(alarm, sent=True) for alarm in both.state.alarms)
    both.state = replace(both.state, alarms=older)
    both.hold_green()
    (one,) = both.open_ones()
    assert (one.stage, both.state.shown) == (Stage.ACCEPTED, Signal.ACCEPTED)


MOVES = st.one_of(
    st.tuples(st.sampled_from(["press", "press", "hold_green", "restart", "settle"])),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 61.0, 200.0, 700.0, 20_000.0, 3 * DAY_S])),
    st.tuples(
        st.sampled_from(["take", "send", "present", "close"]),
        st.sampled_from(NAMES),
        st.integers(0, 2),
    ),
)


@examples(40)
@given(st.lists(MOVES, max_size=25))
def test_the_lamp_shows_what_the_centre_holds_and_the_last_press_is_heard(
    history: list[tuple[object, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, stored(Path(folder)) as store:
        both = Both(store)
        for name, *what in history:
            match name, *what:
                case "link", bool() as up:
                    both.link(up=up)
                case "wait", float() as pause_s:
                    both.wait(pause_s)
                case str() as verb, str() as who, int() as pick:
                    both.act(verb, who, pick)
                case _:
                    getattr(both, str(name))()
        both.settle()
        both.agrees()
        both.hub(Ticked(both.at + 60.0))
        both.press()
        assert any(one.needs_person or one.again_utc is not None for one in both.open_ones())
        both.wait(PATIENCE.answer_s)
        assert any(one.needs_person for one in both.open_ones())
        both.agrees()
