"""Test mode: whoever presses in it may be testing, and nothing in it silences a call for long."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from center.domain import by_people, lease
from center.domain.by_people import PATIENCE, Act, Refusal, Why
from center.domain.incident import Change, Deed, Incident, Outcome
from center.domain.lease import Lease
from center.service import incidents as desk_incidents
from center.store import tables
from center.store.rows import audit, incidents, leases, rates
from center.store.store import Store
from hub.contract.messages import AlarmEvent, Availability, Command, CommandKind, Reply, Stage
from hub.contract.scaip import BY_HAND, Kind, What
from tests.center.making import HUB, NOW, event, hear, state, stored

INSTALLER = "김하늘"
BEGUN, SHOWN = NOW + 10.0, NOW + 11.0
UNTIL = BEGUN + lease.LASTS_S
_alarms = itertools.count(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        hear(opened, state(utc=NOW), utc=NOW)
        yield opened


def begin(store: Store, at: float = BEGUN) -> Command | Lease:
    lasts_s = lease.LASTS_S
    return store.submit(lambda conn: leases.begin(conn, HUB, INSTALLER, at, lasts_s)).result(10)


def show(store: Store, command: Command | Lease, at: float = SHOWN) -> None:
    hear(store, Reply(command.id, done=True), utc=at)


def leased(store: Store) -> None:
    """Begin a lease that the home shows."""
    show(store, begin(store))


def press(
    store: Store,
    at: float,
    alarm: str = "",
    *,
    what: What = What.RAISED,
    came: float | None = None,
    **data: object,
) -> Incident:
    """Have a call that was made `at` come in at `came`, by default at once; return its incident."""
    alarm = alarm or f"b1-{next(_alarms)}"
    said = event(what, alarm, at=at)
    said = replace(said, data=replace(said.data, **data))
    assert isinstance(said, AlarmEvent)
    hear(store, said, utc=at if came is None else came)
    return found(store, alarm)


def found(store: Store, alarm: str) -> Incident:
    incident = store.read(incidents.incident_of, HUB, alarm)
    assert incident
    return incident


def sweep(store: Store, at: float) -> list[str]:
    """Do the round that gives back; return what rings from now on."""
    if not store.read(desk_incidents.any_due, at, PATIENCE):
        return []
    back = store.submit(lambda conn: desk_incidents.give_back(conn, at, PATIENCE)).result(10)
    return [one.id for one in back if one.needs_person]


def act(store: Store, done: Change | Refusal) -> Incident:
    assert isinstance(done, Change)
    return store.submit(lambda conn: incidents.save(conn, done)).result(10)


def deeds(store: Store, incident: Incident) -> list[Deed]:
    case = store.read(incidents.case, incident.id)
    assert case
    return [entry.deed for entry in case.timeline]


@pytest.mark.parametrize("kind", [Kind.HELP_BUTTON, Kind.PULL_CORD, Kind.PENDANT, Kind.SPOKEN])
def test_a_press_waits_as_a_test_and_then_rings_as_any_call(store: Store, kind: Kind) -> None:
    leased(store)
    pressed = SHOWN + 5
    one = press(store, pressed, kind=kind)
    assert one.is_test
    assert not one.needs_person
    assert sweep(store, pressed + 59.9) == []
    assert sweep(store, pressed + 60) == [one.id]
    after = found(store, one.alarm)
    assert (after.stage, after.who, after.test_utc) == (Stage.RECEIVED, "", None)
    assert after.waiting_utc == pressed, "who answers sees how long it has waited"
    assert deeds(store, one) == [Deed.RAISED, Deed.TEST_PRESSED, Deed.TEST_UNANSWERED]


def test_who_answers_it_as_a_test_closes_it_and_it_is_no_false_alarm(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    done = by_people.answer_test(one, Act("박바다", SHOWN + 30, one.version))
    closed = act(store, done)
    assert (closed.stage, closed.outcome, closed.is_test) == (Stage.CLOSED, Outcome.TEST, False)
    assert deeds(store, one)[-1] is Deed.CLOSED
    assert sweep(store, SHOWN + 100) == []
    assert store.read(rates.read, SHOWN + 200, 30).total.alarms == 0


def test_after_its_time_or_a_change_it_is_answered_as_no_test(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    late = by_people.answer_test(one, Act("박바다", SHOWN + 65))
    assert isinstance(late, Refusal)
    assert late.why is Why.NO_TEST
    again = press(store, SHOWN + 20, one.alarm, what=What.REPEATED)
    for version, why in ((one.version, Why.STALE), (None, Why.NO_TEST)):
        said = by_people.answer_test(again, Act("박바다", SHOWN + 21, version))
        assert isinstance(said, Refusal)
        assert said.why is why


def test_the_home_is_not_told_that_a_person_has_it(store: Store) -> None:
    leased(store)
    told = hear(store, event(alarm="b1-t", at=SHOWN + 5), utc=SHOWN + 5)
    assert [(ack.stage, ack.who) for ack in told.acks] == [(Stage.RECEIVED, "")]
    taken = act(store, by_people.take(found(store, "b1-t"), Act(INSTALLER, SHOWN + 9)))
    assert not taken.is_test
    told = hear(store, event(alarm="b1-t", ident="b1-t", at=SHOWN + 5), utc=SHOWN + 10)
    assert told.acks[-1].stage is Stage.ACCEPTED


def test_who_presses_twice_means_it(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    again = press(store, SHOWN + 15, one.alarm, what=What.REPEATED)
    assert again.needs_person
    assert again.waiting_utc == SHOWN + 5
    assert deeds(store, one)[-1] is Deed.TEST_IN_EARNEST


def test_a_second_call_of_the_home_rings_at_once_beside_a_test(store: Store) -> None:
    leased(store)
    press(store, SHOWN + 5)
    assert press(store, SHOWN + 6, kind=Kind.PENDANT).needs_person
    assert press(store, SHOWN + 7, kind=Kind.SMOKE).needs_person


def test_a_cancelled_test_is_still_asked_about(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    after = press(store, SHOWN + 10, one.alarm, what=What.CANCELLED)
    assert after.is_test
    assert sweep(store, SHOWN + 65) == [one.id]


AUTOMATIC = [kind for kind in Kind if kind not in BY_HAND and kind is not Kind.TEST]


@pytest.mark.parametrize("kind", AUTOMATIC)
def test_what_no_person_raised_is_real_at_once(store: Store, kind: Kind) -> None:
    leased(store)
    assert press(store, SHOWN + 5, kind=kind).needs_person


def test_a_call_from_before_the_lease_stays_a_call(store: Store) -> None:
    one = press(store, NOW + 5)
    leased(store)
    assert found(store, one.alarm).needs_person
    assert press(store, SHOWN + 5).needs_person, "beside an open call no press is a test"


def test_a_call_of_before_that_comes_within_the_lease_is_real(store: Store) -> None:
    leased(store)
    assert press(store, SHOWN - 0.5, came=SHOWN + 5).needs_person


def test_a_call_that_was_on_its_way_for_a_minute_has_waited_already(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5, came=SHOWN + 45)
    assert one.is_test
    assert sweep(store, SHOWN + 65) == [one.id], "60 s from the press, not from its arrival"
    older = press(store, SHOWN + 70, came=SHOWN + 131)
    assert older.needs_person


def test_after_the_lease_a_press_is_real_whenever_it_was_made(store: Store) -> None:
    leased(store)
    assert press(store, UNTIL - 1, came=UNTIL).needs_person
    act(store, by_people.close(store.read(incidents.board, 9)[0][0], Act("a", UNTIL), Outcome.PET))
    assert press(store, UNTIL + 1).needs_person


def test_a_test_shortly_before_the_end_waits_no_longer_than_the_lease(store: Store) -> None:
    leased(store)
    one = press(store, UNTIL - 20)
    assert one.test_utc == UNTIL
    assert sweep(store, UNTIL) == [one.id]


def test_a_lease_that_is_ended_makes_calls_of_what_waits(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    command, calls = store.submit(lambda conn: leases.end(conn, HUB, "박바다", SHOWN + 9)).result(
        10
    )
    assert (command.kind, command.lasts_s) == (CommandKind.TEST_MODE, 0.0)
    assert [call.id for call in calls] == [one.id]
    assert found(store, one.alarm).needs_person
    act(store, by_people.close(found(store, one.alarm), Act("a", SHOWN + 12), Outcome.PET))
    assert press(store, SHOWN + 20).needs_person


def test_a_home_that_does_not_show_it_is_in_no_test(store: Store) -> None:
    """Its hub is old, busy with a call, or out of reach: who presses there knows of no test."""
    command = begin(store)
    one = press(store, SHOWN + 5)
    assert one.needs_person
    hear(store, Reply(command.id, done=False, reason="unknown"), utc=SHOWN + 6)
    assert store.read(leases.standing, SHOWN + 7) == []
    show(store, command, SHOWN + 8)
    assert store.read(leases.standing, SHOWN + 9) == []


def test_a_hub_cannot_begin_or_restore_a_lease(store: Store) -> None:
    hear(store, Reply("test-made-up", done=True), utc=NOW + 5)
    assert press(store, NOW + 6).needs_person
    command = begin(store)
    show(store, command, UNTIL + 1)
    assert store.read(leases.standing, UNTIL + 2) == []


def test_a_hub_that_starts_again_is_in_no_test(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    other_boot = replace(state(Availability.INIT, utc=SHOWN + 30), boot="b2")
    hear(store, other_boot, utc=SHOWN + 30)
    assert found(store, one.alarm).needs_person
    assert store.read(leases.standing, SHOWN + 31) == []


def test_a_press_of_another_boot_or_without_a_clock_is_real(store: Store) -> None:
    leased(store)
    for odd in (press(store, SHOWN + 5, boot="b2"), press(store, SHOWN + 6, synced=False)):
        assert odd.needs_person
        act(store, by_people.close(odd, Act("a", SHOWN + 7), Outcome.PET))
    ahead = press(store, SHOWN + 60, came=SHOWN + 50)
    assert ahead.needs_person, "its clock is ahead: the press may be from before"


def test_there_is_one_lease_of_a_home_and_it_cannot_be_lengthened(store: Store) -> None:
    leased(store)
    second = begin(store, SHOWN + 100)
    assert isinstance(second, Lease)
    assert second.until_utc == UNTIL
    assert isinstance(begin(store, UNTIL), Command)
    rows = store.read(lambda conn: conn.execute(select(tables.leases)).all())
    assert len(rows) == 2


def test_two_tests_follow_each_other(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    act(store, by_people.answer_test(one, Act(INSTALLER, SHOWN + 9)))
    assert press(store, SHOWN + 30, kind=Kind.PULL_CORD).is_test


def test_a_clock_that_was_set_back_leaves_no_test_waiting(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 300)
    assert sweep(store, SHOWN + 299) == [one.id]
    assert store.read(leases.standing, BEGUN - 1) == []


def test_a_centre_that_starts_again_still_lets_it_ring(tmp_path: Path) -> None:
    with stored(tmp_path) as store:
        hear(store, state(utc=NOW), utc=NOW)
        leased(store)
        one = press(store, SHOWN + 5)
    with stored(tmp_path) as store:
        assert found(store, one.alarm).is_test
        assert sweep(store, SHOWN + 66) == [one.id]
        act(store, by_people.close(found(store, one.alarm), Act("a", SHOWN + 70), Outcome.TEST))
        assert press(store, SHOWN + 80).is_test, "the lease is in the store"


def test_a_note_on_a_test_does_not_keep_it_from_ringing(store: Store) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    act(store, by_people.note(one, Act(INSTALLER, SHOWN + 30), "시험 중"))
    assert sweep(store, SHOWN + 65) == [one.id]


@pytest.mark.parametrize("do", [by_people.take, by_people.send, by_people.present])
@pytest.mark.parametrize("who", [INSTALLER, "박바다"])
def test_who_takes_it_as_a_call_has_it_as_a_call(store: Store, do: object, who: str) -> None:
    leased(store)
    one = press(store, SHOWN + 5)
    taken = act(store, do(one, Act(who, SHOWN + 9)))  # type: ignore[operator]
    assert (taken.is_test, taken.who) == (False, who)
    assert sweep(store, SHOWN + 66) == []


def test_begin_and_end_are_in_the_audit(store: Store) -> None:
    leased(store)
    store.submit(lambda conn: leases.end(conn, HUB, "박바다", SHOWN + 9)).result(10)
    lines = [line.entry for line in reversed(store.read(audit.search))]
    told = [(entry.deed, entry.by) for entry in lines if entry.deed.value.startswith("test_mode")]
    assert told == [(Deed.TEST_MODE_BEGUN, INSTALLER), (Deed.TEST_MODE_ENDED, "박바다")]
