"""Check-ins, needs and activity are stored once and always acknowledged; some become tasks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from center.console.homes.checkins import spot
from center.console.view import urgent_first
from center.domain.by_people import Act, close
from center.domain.incident import Change, Outcome
from center.domain.need import Called, NeedKind, Try
from center.service.feed import Topic
from center.service.intake import Told
from center.service.texts import texts
from center.store import tables
from center.store.rows import days, incidents, needs
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.messages import Ack, CheckInResult, Stage
from hub.contract.scaip import Care, Kind, What
from hub.shared.language import Language
from tests.center.lives import PLACES, QUIET, activity, care, check_in
from tests.center.making import HUB, NOW, event, forget, hear, stored

DAY = "2026-09-21"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def open_kinds(store: Store) -> list[NeedKind]:
    return [task.need.kind for task in store.read(needs.still_open)]


def test_a_check_in_is_stored_and_then_answered(store: Store) -> None:
    told = hear(store, check_in(ident="c1"), utc=NOW)
    assert told.acks == (Ack("c1", "", Stage.RECEIVED, 0, NOW),)
    (one,) = store.read(days.of_day, DAY)
    assert (one.hub, one.slot, one.result, one.attempts) == (HUB, "09:00", CheckInResult.FINE, 1)


def test_what_comes_twice_is_answered_twice_and_kept_once(store: Store) -> None:
    for message in (check_in(CheckInResult.MISSED, ident="c1"), care(ident="n1")):
        first, second = hear(store, message, utc=NOW), hear(store, message, utc=NOW + 30)
        assert (first.duplicate, second.duplicate) == (False, True)
        assert second.acks == (Ack(message.id, "", Stage.RECEIVED, 0, NOW + 30),)
        assert not second.updates
    assert open_kinds(store) == [NeedKind.MISSED_CHECKIN, NeedKind.COUNSELLING]


@pytest.mark.parametrize(
    ("result", "kinds"),
    [
        (CheckInResult.FINE, []),
        (CheckInResult.ALIVE, []),
        (CheckInResult.AWAY, []),
        (CheckInResult.MISSED, [NeedKind.MISSED_CHECKIN]),
        (CheckInResult.UNCLEAR, [NeedKind.UNCLEAR]),
        (CheckInResult.UNWELL, [NeedKind.UNWELL]),
    ],
)
def test_silence_and_unclear_words_are_never_fine(
    store: Store, result: CheckInResult, kinds: list[NeedKind]
) -> None:
    told = hear(store, check_in(result))
    assert open_kinds(store) == kinds
    assert (Topic.NEED in topics(told)) == bool(kinds)


def test_two_answers_without_words_are_told_to_a_person_as_that(store: Store) -> None:
    hear(store, check_in(CheckInResult.UNCLEAR, wordless=1), utc=NOW)
    assert open_kinds(store) == [NeedKind.UNCLEAR]
    hear(store, check_in(CheckInResult.UNCLEAR, "2026-09-21-1800", wordless=2), utc=NOW + 9)
    assert open_kinds(store) == [NeedKind.UNCLEAR, NeedKind.WORDLESS]
    korean, english = texts(Language.KOREAN), texts(Language.ENGLISH)
    found = store.read(days.of_day, DAY)
    assert [spot(one, korean).badge.text for one in found] == ["말이 아닌 소리로만 대답"] * 2
    assert {spot(one, english).badge.text for one in found} == {"Answered without words"}
    assert korean("need.wordless") == "말이 아닌 소리로만 대답"


def topics(told: Told) -> set[Topic]:
    return {update.topic for update in told.updates}


def test_the_same_need_said_again_is_one_task_and_nothing_is_lost(store: Store) -> None:
    hear(store, check_in(CheckInResult.UNWELL), utc=NOW)
    hear(store, care(Care.UNWELL), utc=NOW + 5)
    hear(store, care(Care.LOW_MOOD, score=3), utc=NOW + 10)
    hear(store, care(Care.LOW_MOOD, score=5), utc=NOW + 9000)
    hear(store, care(Care.LOW_MOOD, score=4, hub="js-0002"), hub="js-0002", utc=NOW + 9000)
    unwell, low, other = (task.need for task in store.read(needs.still_open))
    assert (unwell.kind, low.kind, other.hub) == (NeedKind.UNWELL, NeedKind.LOW_MOOD, "js-0002")
    assert (low.since_utc, low.last_utc, low.score) == (NOW + 10, NOW + 9000, 5)


def test_life_after_a_missed_check_in_eases_it_and_a_person_still_ends_it(store: Store) -> None:
    hear(store, check_in(CheckInResult.MISSED), utc=NOW)
    told = hear(store, check_in(CheckInResult.ALIVE), utc=NOW + 3600)
    assert Topic.NEED in topics(told)
    (task,) = store.read(needs.still_open)
    assert task.need.eased_utc == NOW + 3600
    (one,) = store.read(days.of_day, DAY)
    assert one.result is CheckInResult.ALIVE


def test_an_older_word_on_a_check_in_does_not_undo_a_newer_one(store: Store) -> None:
    hear(store, check_in(CheckInResult.ALIVE, at=NOW + 60), utc=NOW + 61)
    hear(store, check_in(CheckInResult.MISSED, at=NOW), utc=NOW + 62)
    (one,) = store.read(days.of_day, DAY)
    assert one.result is CheckInResult.ALIVE
    assert open_kinds(store) == []


def test_an_hour_said_again_replaces_itself(store: Store) -> None:
    hear(store, activity(NOW - 3600, pir1=3))
    hear(store, activity(NOW - 3600, pir1=7, pir2=1))
    hear(store, activity(NOW, pir1=1))
    first, second = store.read(days.hours, HUB, NOW - 7200, NOW + 1)
    assert (first.seen, second.seen) == ({"pir1": 7, "pir2": 1}, {"pir1": 1})
    assert store.read(days.places, HUB) == PLACES
    assert store.read(days.hours, "js-0002", 0, NOW + 1) == []


def test_nonsense_numbers_fit_the_database(store: Store) -> None:
    one = check_in(checkin="when the cock crows", at=NOW)
    data = replace(one.data, attempts=10**18, due_utc=1e300)
    hear(store, replace(one, data=data, time="never"))
    hear(store, care(Care.LOW_MOOD, score=10**18))
    hear(store, activity(1e300, pir1=10**18, pir2=-4))
    (task,) = store.read(needs.still_open)
    assert task.need.score == 1_000_000
    (hour,) = store.read(days.hours, HUB, 0, 1e308)
    assert hour.seen == {"pir1": 1_000_000, "pir2": 0}


def raise_quiet(store: Store, what: What, utc: float, kind: Kind = Kind.QUIET) -> None:
    said = event(what, "q-1")
    hear(store, replace(said, data=replace(said.data, kind=kind, evidence=QUIET)), utc=utc)


def test_an_alarm_without_ground_stays_open_and_comes_back(store: Store) -> None:
    raise_quiet(store, What.RAISED, NOW)
    raise_quiet(store, What.CLEARED, NOW + 60)
    (one,) = store.read(incidents.incidents, Which.OPEN)
    assert (one.cleared_utc, one.evidence, one.is_open) == (NOW + 60, QUIET, True)
    raise_quiet(store, What.REPEATED, NOW + 120)
    (again,) = store.read(incidents.incidents, Which.OPEN)
    assert again.cleared_utc is None


def test_a_cleared_missed_check_in_sinks_and_a_cleared_quiet_does_not(store: Store) -> None:
    for number, kind in enumerate((Kind.MISSED_CHECKIN, Kind.QUIET, Kind.DOOR_OPEN)):
        for what in (What.RAISED, What.CLEARED):
            said = event(what, f"a-{kind}")
            hear(store, replace(said, data=replace(said.data, kind=kind)), utc=NOW + number)
    hear(store, event(alarm="press"), utc=NOW + 9)
    order = sorted(store.read(incidents.incidents, Which.OPEN), key=urgent_first)
    assert [one.id for one in order] == ["a-quiet", "press", "a-door_open", "a-missed_checkin"]


def test_a_cleared_missed_check_in_eases_its_task(store: Store) -> None:
    hear(store, check_in(CheckInResult.MISSED), utc=NOW)
    raise_quiet(store, What.RAISED, NOW + 1, Kind.MISSED_CHECKIN)
    raise_quiet(store, What.CLEARED, NOW + 60, Kind.MISSED_CHECKIN)
    (task,) = store.read(needs.still_open)
    assert task.need.eased_utc == NOW + 60


def test_the_days_are_forgotten_in_time_but_no_task_that_waits(store: Store) -> None:
    hear(store, check_in(CheckInResult.MISSED, ident="c1"), utc=NOW)
    hear(store, care(ident="n1"), utc=NOW)
    hear(store, activity(NOW, pir1=3), utc=NOW)
    hear(store, event(), utc=NOW)
    store.submit(
        lambda conn: needs.call(
            conn, {done(store): None}, Try("김하늘", NOW + 5, Called.REACHED, "통화")
        )
    ).result(10)
    forget(store, NOW + 100)
    assert store.read(days.of_day, DAY) == []
    assert store.read(days.hours, HUB, 0, NOW + 1) == []
    assert open_kinds(store) == [NeedKind.MISSED_CHECKIN]
    assert store.read(needs.done_since, 0.0) == []
    held = store.read(lambda conn: [row.id for row in conn.execute(tables.events.select())])
    assert held == ["b1-1"]


def done(store: Store) -> str:
    """Return the id of the task about counselling."""
    tasks = store.read(needs.still_open)
    return next(task.need.id for task in tasks if task.need.kind is NeedKind.COUNSELLING)


def test_closing_is_a_change_that_keeps_the_evidence(store: Store) -> None:
    raise_quiet(store, What.RAISED, NOW)
    (one,) = store.read(incidents.incidents, Which.OPEN)
    closed = close(one, Act("김하늘", NOW + 9), Outcome.PET)
    assert isinstance(closed, Change)
    assert closed.incident.evidence == QUIET


def test_who_is_not_back_is_a_task_that_their_return_eases_until_it_is_said_again(
    store: Store,
) -> None:
    told = hear(store, care(Care.NOT_BACK), utc=NOW)
    assert Topic.NEED in topics(told)
    assert open_kinds(store) == [NeedKind.NOT_BACK]
    assert Topic.NEED in topics(hear(store, care(Care.BACK, ident="n2"), utc=NOW + 60))
    (task,) = store.read(needs.still_open)
    assert (task.need.kind, task.need.eased_utc) == (NeedKind.NOT_BACK, NOW + 60)
    hear(store, care(Care.NOT_BACK, ident="n3"), utc=NOW + 90_000)
    (task,) = store.read(needs.still_open)
    assert (task.need.last_utc, task.need.eased_utc) == (NOW + 90_000, None)


def test_a_return_that_nobody_waited_for_opens_nothing(store: Store) -> None:
    assert topics(hear(store, care(Care.BACK), utc=NOW)) == set()
    assert open_kinds(store) == []
