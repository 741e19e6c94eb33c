"""What becomes of a hub's message: states, faults, telemetry, replies, repair."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from center.config import Center
from center.domain.by_people import PATIENCE, Act, Refusal, present, send, take
from center.domain.hub import Hub, Seen, is_lost, seen
from center.domain.incident import Change, Deed, Incident
from center.domain.times import of_rfc3339
from center.service import incidents, retention
from center.service.intake import store_message
from center.store import tables
from center.store.rows import hubs as hub_rows
from center.store.rows import incidents as incident_rows
from center.store.store import Store
from hub.contract.messages import (
    Availability,
    Cleared,
    FaultKind,
    FaultReport,
    Reply,
    ReportData,
    ReportEvent,
    Stage,
    Telemetry,
)
from hub.contract.scaip import Report, What, of_report
from hub.contract.wire import source
from tests.center.making import HUB, NOW, event, hear, received, state, stored

FAULT = FaultReport("stuck-button", FaultKind.STUCK, "button", NOW, synced=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def hub(store: Store) -> Hub:
    (one,) = store.read(hub_rows.known)
    return one


Decide = Callable[[Incident, Act], Change | Refusal]


def does(store: Store, ident: str, decide: Decide, utc: float) -> Incident:
    def job(conn: Connection) -> Incident:
        incident = incident_rows.incident(conn, ident)
        assert incident
        change = decide(incident, Act("김하늘", utc))
        assert isinstance(change, Change)
        return incident_rows.save(conn, change)

    return store.submit(job).result(10)


def took(store: Store, ident: str) -> None:
    does(store, ident, take, NOW + 10)


def given_back(store: Store, utc: float) -> list[Incident]:
    return store.submit(lambda conn: incidents.give_back(conn, utc, PATIENCE)).result(10)


def test_a_hub_that_missed_a_take_hears_of_it_by_its_state(store: Store) -> None:
    hear(store, event())
    took(store, "b1-1")
    told = hear(store, state(Availability.READY, ("b1-1", Stage.RECEIVED, 1)))
    assert [(ack.stage, ack.version, ack.who) for ack in told.acks] == [
        (Stage.ACCEPTED, 2, "김하늘")
    ]
    assert not hear(store, state(Availability.READY, ("b1-1", Stage.ACCEPTED, 2))).acks


def test_an_alarm_that_nobody_here_knows_is_asked_for(store: Store) -> None:
    told = hear(store, state(Availability.READY, ("b1-9", Stage.RECEIVED, 4)))
    assert [(ack.alarm, ack.stage) for ack in told.acks] == [("b1-9", Stage.UNKNOWN)]


def test_a_restored_store_passes_the_version_that_the_hub_knows(store: Store) -> None:
    hear(store, event())
    told = hear(store, state(Availability.READY, ("b1-1", Stage.ACCEPTED, 6)))
    assert [(ack.stage, ack.version) for ack in told.acks] == [(Stage.RECEIVED, 7)]


def test_a_follow_up_whose_first_event_is_missing_still_makes_an_incident(store: Store) -> None:
    told = hear(store, event(What.CANCELLED))
    assert told.acks[0].stage is Stage.RECEIVED
    hear(store, event())
    case = store.read(incident_rows.case, "b1-1")
    assert case
    assert len(case.timeline) == 2
    assert case.incident.is_open


def test_a_will_says_lost_but_was_not_said_by_the_hub(store: Store) -> None:
    hear(store, state(faults=(FAULT.fault,)), utc=NOW)
    hear(store, FAULT, utc=NOW)
    hear(store, state(Availability.LOST, utc=0.0), utc=NOW + 20)
    one = hub(store)
    assert (one.state, one.heard_utc, one.software) == (Availability.LOST, NOW, "0.1.0")
    assert [fault.fault for fault in one.faults] == [FAULT.fault]


def test_a_retained_state_is_no_sign_of_life(store: Store) -> None:
    old = received(state(utc=NOW - 3600), utc=NOW, retained=True)
    store.submit(lambda conn: store_message(conn, old)).result(10)
    assert hub(store).heard_utc == NOW - 3600
    assert seen(hub(store), NOW, NOW - 7200) is Seen.LOST


def test_a_fault_comes_stays_and_goes(store: Store) -> None:
    for message in (FAULT, FAULT, Cleared(FAULT.fault), Cleared(FAULT.fault), Cleared("never")):
        hear(store, message)
    assert not hub(store).faults
    table = tables.fault_history
    lines = store.read(lambda conn: conn.execute(select(table.c.over)).scalars().all())
    assert lines == [False, True]


def test_a_fault_that_flaps_is_two_rows_of_history_an_hour(store: Store) -> None:
    for number in range(500):
        hear(store, FAULT, utc=NOW + number * 4)
        hear(store, Cleared(FAULT.fault), utc=NOW + number * 4 + 2)
    hear(store, FAULT, utc=NOW + 3601)
    table = tables.fault_history
    query = select(table.c.over, table.c.times, table.c.last_utc).order_by(table.c.seq)
    assert store.read(lambda conn: [tuple(row) for row in conn.execute(query)]) == [
        (False, 500, NOW + 1996),
        (True, 500, NOW + 1998),
        (False, 1, None),
    ]


def test_a_missed_word_on_a_fault_is_made_good_by_the_hubs_list(store: Store) -> None:
    hear(store, FAULT)
    hear(store, state(Availability.INIT))
    assert hub(store).faults
    hear(store, state())
    assert not hub(store).faults
    hear(store, state(faults=(FAULT.fault,)))
    assert [fault.kind for fault in hub(store).faults] == [FaultKind.STUCK]


def test_telemetry_is_bounded_by_age_and_by_number(store: Store) -> None:
    for number in range(10):
        reading = Telemetry(NOW, synced=True, readings={"temperature_c": 20.5})
        hear(store, reading, utc=NOW + number)

    def count() -> int | None:
        return store.read(lambda conn: conn.scalar(select(func.count(tables.telemetry.c.seq))))

    def kept(center: Center) -> int | None:
        for rule in (rule for rule in retention.RULES if rule.table is tables.telemetry):
            keys = store.read(retention.due, rule, center, NOW + 10)
            drop = partial(retention.drop, rule=rule, center=center, at=NOW + 10, keys=keys)
            store.submit(drop).result(10)
        return count()

    assert kept(Center(telemetry_keep_s=100, telemetry_keep_rows=8)) == 8
    assert kept(Center(telemetry_keep_s=5.5, telemetry_keep_rows=100)) == 5


def test_the_first_reply_counts(store: Store) -> None:
    for reason in ("first", "second"):
        hear(store, Reply("c1", done=True, reason=reason))
    reasons = store.read(lambda conn: conn.scalars(select(tables.replies.c.reason)).all())
    assert reasons == ["first"]


def test_a_technical_report_is_kept_once_and_is_no_alarm(store: Store) -> None:
    data = ReportData(Report.LINK_BACK, 30.0, synced=True, scaip=of_report(Report.LINK_BACK, "r"))
    report = ReportEvent("r1", source(HUB), "anbu.report.link_back", "2026-01-01T00:00:00Z", data)
    assert [hear(store, report).duplicate for _ in range(2)] == [False, True]
    assert not store.read(incident_rows.incidents, incident_rows.Which.ALL)


def test_forgotten_takes_are_found_when_they_are_due(store: Store) -> None:
    hear(store, event())
    took(store, "b1-1")
    assert not store.read(incidents.any_due, NOW + 609, PATIENCE)
    assert store.read(incidents.any_due, NOW + 610, PATIENCE)
    (back,) = given_back(store, NOW + 610)
    assert (back.stage, back.who) == (Stage.RECEIVED, "")
    assert not store.read(incidents.any_due, NOW + 10**6, PATIENCE)


def test_a_call_that_came_again_is_found_when_its_holder_has_not_answered(store: Store) -> None:
    hear(store, event(), utc=NOW)
    took(store, "b1-1")
    told = hear(store, event(What.REPEATED), utc=NOW + 30)
    assert [update.id for update in told.updates] == ["b1-1"]
    assert [ack.stage for ack in told.acks] == [Stage.RECEIVED, Stage.ACCEPTED]
    assert not given_back(store, NOW + 89)
    (back,) = given_back(store, NOW + 90)
    assert (back.stage, back.last_deed) == (Stage.RECEIVED, Deed.UNANSWERED)


def test_a_call_days_after_somebody_was_on_site_waits_for_everybody_and_the_hub_is_told(
    store: Store,
) -> None:
    hear(store, event(), utc=NOW)
    took(store, "b1-1")
    does(store, "b1-1", present, NOW + 20)
    told = hear(store, event(What.REPEATED), utc=NOW + 3 * 86_400)
    assert [(ack.stage, ack.who) for ack in told.acks] == [(Stage.RECEIVED, "")]
    case = store.read(incident_rows.case, "b1-1")
    assert case
    assert case.incident.needs_person
    assert [line.deed for line in case.timeline][-2:] == [Deed.REPEATED, Deed.RETURNED]


def test_what_a_clock_that_was_put_back_leaves_in_the_future_is_found(store: Store) -> None:
    for alarm in ("b1-1", "b1-2", "b1-3"):
        hear(store, event(alarm=alarm), utc=NOW)
    does(store, "b1-3", take, NOW - 100)
    hear(store, event(What.REPEATED, alarm="b1-3"), utc=NOW)
    does(store, "b1-1", take, NOW)
    does(store, "b1-2", present, NOW)
    assert given_back(store, NOW) == []
    assert given_back(store, NOW - 60) == []  # a round that looked at the clock, and waited
    assert [one.id for one in given_back(store, NOW - 61)] == ["b1-1", "b1-3", "b1-2"]


def test_a_presence_that_nobody_renews_is_found_in_hours(store: Store) -> None:
    hear(store, event(), utc=NOW)
    does(store, "b1-1", present, NOW)
    assert not given_back(store, NOW + PATIENCE.present_expires_s - 1)
    (back,) = given_back(store, NOW + PATIENCE.present_expires_s)
    assert (back.stage, back.last_deed) == (Stage.RECEIVED, Deed.PRESENT_EXPIRED)


def test_a_presence_that_an_older_release_stored_is_found_too(store: Store) -> None:
    hear(store, event(), utc=NOW)
    does(store, "b1-1", present, NOW)
    forget = update(tables.incidents).values(expires_utc=None, acted_utc=None)
    store.submit(lambda conn: conn.execute(forget).rowcount).result(10)
    assert not given_back(store, NOW + PATIENCE.present_expires_s - 1)
    assert given_back(store, NOW + PATIENCE.present_expires_s)


def test_another_alarm_of_a_home_is_an_incident_of_its_own(store: Store) -> None:
    """A press while somebody holds an automatic alarm rings, as nobody holds the press yet."""
    hear(store, event(), utc=NOW)
    does(store, "b1-1", present, NOW)
    hear(store, event(alarm="b1-2"), utc=NOW + 5)
    case = store.read(incident_rows.case, "b1-2")
    assert case
    assert case.incident.needs_person


def test_the_hub_is_told_that_somebody_was_sent(store: Store) -> None:
    hear(store, event(), utc=NOW)
    sent = does(store, "b1-1", send, NOW + 10)
    told = hear(store, state(Availability.READY, ("b1-1", Stage.RECEIVED, 1)), utc=NOW + 20)
    assert [(ack.stage, ack.sent) for ack in told.acks] == [(Stage.ACCEPTED, True)]
    right = state(Availability.READY, ("b1-1", Stage.ACCEPTED, sent.version))
    assert not hear(store, right, utc=NOW + 20).acks


@pytest.mark.parametrize(
    ("silence_s", "interval_s", "lost"),
    [
        (79, 30, False),
        (81, 30, True),
        (81, 3600, True),
        (20, 5, True),
        (2, 0, False),
        (4, -1, True),
    ],
)
def test_silence_means_lost(silence_s: float, interval_s: float, lost: bool) -> None:  # noqa: FBT001
    assert is_lost(silence_s, interval_s) is lost


def test_nobody_is_blamed_while_the_centre_itself_is_deaf(store: Store) -> None:
    hear(store, state(), utc=NOW)
    assert seen(hub(store), NOW + 1000, None) is Seen.UNKNOWN
    assert seen(hub(store), NOW + 1000, NOW + 990) is Seen.READY
    assert seen(hub(store), NOW + 1000, NOW) is Seen.LOST
    hear(store, state(Availability.DISCONNECTED), utc=NOW)
    assert seen(hub(store), NOW + 1000, NOW) is Seen.DISCONNECTED
    hear(store, state(Availability.INIT), utc=NOW)
    assert seen(hub(store), NOW + 1, NOW) is Seen.STARTING


def test_a_dead_hub_is_not_alive_again_because_the_clock_was_set_back(store: Store) -> None:
    hear(store, state(), utc=NOW)
    an_hour_back = NOW + 300 - 3600
    assert seen(hub(store), NOW + 300, NOW - 7200) is Seen.LOST
    assert seen(hub(store), an_hour_back, NOW - 7200) is Seen.LOST
    assert seen(hub(store), an_hour_back, NOW - 100) is Seen.LOST, "the link stood before it, too"


def test_a_hub_that_lives_is_heard_by_the_new_clock(store: Store) -> None:
    hear(store, state(), utc=NOW)
    hear(store, state(), utc=NOW - 3600)
    assert hub(store).heard_utc == NOW - 3600
    assert seen(hub(store), NOW - 3600 + 10, NOW - 7200) is Seen.READY
    hear(store, state(Availability.LOST), utc=NOW - 3590)
    assert hub(store).heard_utc == NOW - 3600


@pytest.mark.parametrize("time", ["", "yesterday", "9999-12-31T23:59:59+99:99", "\x00", "111"])
def test_a_time_that_is_none_is_the_time_of_arrival(time: str) -> None:
    assert of_rfc3339(time, NOW) == NOW


def test_a_time_without_a_zone_is_utc() -> None:
    assert of_rfc3339("2026-01-01T00:00:00", 0.0) == of_rfc3339("2026-01-01T09:00:00+09:00", 1.0)
