"""The monthly test press: due where nobody pressed; an operator announces it; it stays a call."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from center.domain import acks
from center.domain.by_people import PATIENCE, Act, close
from center.domain.incident import Change, Deed, Incident, Outcome
from center.domain.need import Called, NeedKind, Try
from center.store.rows import incidents, needs, parts, rates
from center.store.rows import presses as press_rows
from center.store.rows.incidents import Which
from center.store.rows.needs import Task
from center.store.store import Store
from center.store.tables import presses
from hub.contract.messages import AlarmEvent, Stage, Trigger
from hub.contract.scaip import Kind, What
from tests.center.domain.test_equipment import BOUNDS, GRACE, HELP, walk
from tests.center.making import HUB, NOW, event, hear, state, stored

MONTH = GRACE.press_s
CORD = Trigger("cord", Kind.PULL_CORD, "욕실")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def greet(store: Store, at: float, *more: Trigger, hub: str = HUB) -> None:
    hear(store, replace(state(utc=at), triggers=(HELP, *more)), hub, utc=at)
    walk(store, at + 1)


def due(store: Store) -> list[Task]:
    found = store.read(needs.still_open)
    return [task for task in found if task.need.kind is NeedKind.PRESS_DUE]


def press(
    store: Store,
    at: float,
    alarm: str,
    *,
    device: str = "help",
    what: What = What.RAISED,
    kind: Kind = Kind.HELP_BUTTON,
) -> Incident:
    said = event(what, alarm, at=at)
    said = replace(said, data=replace(said.data, device=device, kind=kind))
    assert isinstance(said, AlarmEvent)
    hear(store, said, utc=at)
    found = store.read(incidents.incident_of, HUB, alarm)
    assert found
    return found


def tell(store: Store, at: float, by: str = "김하늘", test_s: float = 600.0) -> None:
    """Store that somebody asked for a test press by phone."""

    def job(conn: object) -> object:
        need = press_rows.open_test(conn, HUB, at)  # type: ignore[arg-type]
        tried = Try(by, at, Called.TEST_TOLD, test_s=test_s)
        return needs.call(conn, {need.id: None}, tried)  # type: ignore[arg-type]

    assert isinstance(store.submit(job).result(10), tuple)


def test_a_button_that_nobody_pressed_for_a_month_is_a_task_of_its_home(store: Store) -> None:
    greet(store, NOW)
    greet(store, NOW + MONTH - 60)
    assert due(store) == []
    greet(store, NOW + MONTH)
    (task,) = due(store)
    assert task.need.hub == HUB
    assert set(store.read(parts.devices).values()) == {("거실 help",)}


def test_any_press_puts_it_off_for_a_month(store: Store) -> None:
    greet(store, NOW)
    press(store, NOW + MONTH - 1000, "b1-1")
    greet(store, NOW + MONTH + 5)
    assert due(store) == []
    greet(store, NOW + 2 * MONTH - 999)
    assert len(due(store)) == 1


def test_each_trigger_counts_for_itself(store: Store) -> None:
    greet(store, NOW, CORD)
    press(store, NOW + MONTH - 1000, "b1-1")
    greet(store, NOW + MONTH, CORD)
    assert set(store.read(parts.devices).values()) == {("욕실 cord",)}
    press(store, NOW + MONTH + 60, "b1-2")
    assert len(due(store)) == 1
    press(store, NOW + MONTH + 61, "b1-2", device="cord", what=What.REPEATED)
    assert due(store) == []


def test_the_last_press_of_an_older_centre_is_known_from_its_incidents(store: Store) -> None:
    press(store, NOW, "b1-1")
    store.submit(lambda conn: conn.execute(presses.delete())).result(10)
    hear(store, state(utc=NOW + 100), utc=NOW + 100)  # an older hub: it lists no triggers
    walk(store, NOW + 101)
    (row,) = store.read(lambda conn: conn.execute(select(presses)).all())
    assert (row.device, row.pressed_utc) == ("", NOW)
    walk(store, NOW + MONTH - 1)
    assert due(store) == []
    hear(store, state(utc=NOW + MONTH), utc=NOW + MONTH)
    walk(store, NOW + MONTH + 1)
    assert len(due(store)) == 1


def test_homes_that_were_set_up_together_come_due_a_few_a_day(store: Store) -> None:
    homes = [f"js-{number:04}" for number in range(60)]
    for name in homes:
        hear(store, replace(state(utc=NOW), triggers=(HELP,)), name, utc=NOW)
    walk(store, NOW + 1)
    for day in range(3):
        at = NOW + MONTH + 10 + day * 86_401
        for name in homes:
            hear(store, replace(state(utc=at), triggers=(HELP,)), name, utc=at)
        walk(store, at + 1)
        walk(store, at + 2)
        assert len(due(store)) == (day + 1) * BOUNDS.presses_a_day


def test_a_press_that_was_told_of_rings_nobody_and_ends_the_task(store: Store) -> None:
    greet(store, NOW)
    greet(store, NOW + MONTH)
    tell(store, NOW + MONTH + 10)
    incident = press(store, NOW + MONTH + 60, "b1-1")
    assert (incident.stage, incident.who) == (Stage.ACCEPTED, "김하늘")
    assert not incident.needs_person
    assert incident.expires_utc == NOW + MONTH + 10 + 600
    assert due(store) == []
    (done,) = store.read(needs.done_since, NOW)
    assert (done.need.result, done.need.called_utc) == (Called.BY_ITSELF, NOW + MONTH + 60)
    case = store.read(incidents.case, incident.id)
    assert case
    assert [entry.deed for entry in case.timeline] == [Deed.RAISED, Deed.TEST_PRESSED]


def test_the_resident_hears_that_a_person_has_it(store: Store) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    told = hear(store, event(at=NOW + 60), utc=NOW + 60)
    assert [ack.stage for ack in told.acks] == [Stage.RECEIVED, Stage.ACCEPTED]
    incident = store.read(incidents.incident_of, HUB, "b1-1")
    assert incident
    assert told.acks == acks.of_event("b1-1", incident, NOW + 60)


def test_a_test_that_is_forgotten_goes_back_to_everybody(store: Store) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    press(store, NOW + 60, "b1-1")
    assert [one.id for one in store.read(incidents.due_holds, NOW + 611, PATIENCE)] == ["b1-1"]


@pytest.mark.parametrize("kind", [Kind.SPOKEN, Kind.QUIET])
def test_what_is_no_press_is_no_test(store: Store, kind: Kind) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    assert press(store, NOW + 60, "b1-1", kind=kind).needs_person


def test_a_press_after_the_minutes_or_after_the_test_is_a_call(store: Store) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    assert press(store, NOW + 611, "b1-1").needs_person
    _close(store, "b1-1", NOW + 620)
    tell(store, NOW + 700)
    assert not press(store, NOW + 710, "b1-2").needs_person
    _close(store, "b1-2", NOW + 720)
    assert press(store, NOW + 730, "b1-3").needs_person


def test_a_press_of_a_home_with_another_open_call_is_no_test(store: Store) -> None:
    greet(store, NOW)
    press(store, NOW + 5, "q-1", kind=Kind.QUIET, device="")
    tell(store, NOW + 10)
    assert press(store, NOW + 60, "b1-1").needs_person


def test_a_test_of_two_triggers_awaits_each_once(store: Store) -> None:
    greet(store, NOW, CORD)
    greet(store, NOW + MONTH, CORD)
    tell(store, NOW + MONTH + 10)
    assert not press(store, NOW + MONTH + 60, "b1-1").needs_person
    _close(store, "b1-1", NOW + MONTH + 70)
    assert press(store, NOW + MONTH + 80, "b1-2").needs_person  # the same button again: a call
    _close(store, "b1-2", NOW + MONTH + 90)
    assert not press(store, NOW + MONTH + 99, "b1-3", device="cord").needs_person


def test_a_test_that_nobody_did_stays_a_task(store: Store) -> None:
    greet(store, NOW)
    greet(store, NOW + MONTH)
    tell(store, NOW + MONTH + 10)
    greet(store, NOW + MONTH + 5000)
    assert len(due(store)) == 1
    assert store.read(incidents.incidents, Which.OPEN) == []


def test_a_test_that_was_one_counts_as_no_false_alarm(store: Store) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    press(store, NOW + 60, "b1-1")
    _close(store, "b1-1", NOW + 70)
    press(store, NOW + 700, "b1-2")
    _close(store, "b1-2", NOW + 710)  # nobody had told of this one
    total = store.read(rates.read, NOW + 800, 30).total
    assert (total.alarms, total.false) == (1, 1)


def _close(store: Store, alarm: str, at: float) -> None:
    incident = store.read(incidents.incident_of, HUB, alarm)
    assert incident
    done = close(incident, Act("김하늘", at), Outcome.TEST)
    assert isinstance(done, Change)
    store.submit(lambda conn: incidents.save(conn, done)).result(10)


def test_a_press_from_before_the_test_was_told_of_is_a_call(store: Store) -> None:
    """The link was down; the press arrives just after the operator announced a test."""
    greet(store, NOW)
    tell(store, NOW + 300)
    hear(store, event(at=NOW), utc=NOW + 305)
    late = store.read(incidents.incident_of, HUB, "b1-1")
    assert late
    assert late.needs_person


def test_when_a_hubs_clock_is_not_right_nobody_knows_and_a_press_is_a_call(store: Store) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    said = event(at=NOW + 60)
    hear(store, replace(said, data=replace(said.data, synced=False)), utc=NOW + 60)
    found = store.read(incidents.incident_of, HUB, "b1-1")
    assert found
    assert found.needs_person


@pytest.mark.parametrize("result", [Called.NOT_REACHED, Called.VISIT_ARRANGED])
def test_who_was_not_there_after_all_is_tested_no_more(store: Store, result: Called) -> None:
    greet(store, NOW)
    tell(store, NOW + 10)
    (task,) = due(store)
    tried = Try("김하늘", NOW + 20, result, note="부재")
    store.submit(lambda conn: needs.call(conn, {task.need.id: None}, tried)).result(10)
    assert press(store, NOW + 60, "b1-1").needs_person


def test_a_call_that_waits_already_is_no_test(store: Store) -> None:
    greet(store, NOW)
    press(store, NOW + 5, "b1-1", what=What.REPEATED)
    tell(store, NOW + 10)
    assert press(store, NOW + 60, "b1-1").needs_person


def test_a_long_test_is_its_tellers_for_as_long_as_any_take(store: Store) -> None:
    """A test time further ahead than a hold lasts counts as a clock error; the press would ring."""
    greet(store, NOW)
    tell(store, NOW + 10, test_s=1800.0)
    press(store, NOW + 60, "b1-1")
    assert store.read(incidents.due_holds, NOW + 70, PATIENCE) == []
    assert [one.id for one in store.read(incidents.due_holds, NOW + 661, PATIENCE)] == ["b1-1"]
