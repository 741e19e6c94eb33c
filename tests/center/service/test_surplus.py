"""A home that invents calls without end does not push other homes' calls off the board."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from center.domain.by_people import Act, close
from center.domain.incident import Change, Incident, Outcome
from center.service.intake import Told
from center.service.surplus import OPEN_MOST
from center.store.rows import hubs as hub_rows
from center.store.rows import incidents
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.messages import FaultKind, Stage
from hub.contract.scaip import Kind, What
from tests.center.e2e.office import Office
from tests.center.making import HUB, NOW, event, hear, state, stored

OTHER = "js-0002"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def invent(store: Store, count: int, hub: str = HUB, utc: float = NOW) -> list[Told]:
    return [hear(store, event(alarm=f"{hub}-{n}", hub=hub), hub, utc) for n in range(count)]


def still_open(store: Store, hub: str) -> list[Incident]:
    return [one for one in store.read(incidents.board, 10_000)[0] if one.hub == hub]


def shared(store: Store) -> Incident:
    (found,) = (one for one in store.read(incidents.incidents, Which.ALL, 500) if one.surplus)
    return found


def test_what_is_more_than_can_be_shown_is_one_incident_that_counts_it(store: Store) -> None:
    told = invent(store, 1000)
    assert len(still_open(store, HUB)) == OPEN_MOST + 1
    assert shared(store).surplus == 1000 - OPEN_MOST
    assert [len(one.acks) for one in told] == [1] * 1000, "every call is received"
    assert {one.acks[0].stage for one in told} == {Stage.RECEIVED}
    assert [one.acks[0].alarm for one in told] == [f"{HUB}-{n}" for n in range(1000)]
    (hub,) = store.read(hub_rows.known)
    assert [fault.kind for fault in hub.faults] == [FaultKind.CROWDED]


def test_a_call_among_the_surplus_is_folded_by_its_own_name(store: Store) -> None:
    invent(store, OPEN_MOST + 3)
    again = hear(store, event(alarm=f"{HUB}-{OPEN_MOST + 1}"))
    assert again.duplicate
    assert again.acks[0].alarm == f"{HUB}-{OPEN_MOST + 1}"
    before = shared(store)
    hear(store, event(What.REPEATED, alarm=f"{HUB}-{OPEN_MOST + 1}"))
    assert shared(store).presses == before.presses + 1
    assert shared(store).surplus == 3


def test_the_end_of_one_of_them_says_nothing_of_the_rest(store: Store) -> None:
    invent(store, OPEN_MOST + 3)
    hear(store, event(What.CANCELLED, alarm=f"{HUB}-{OPEN_MOST}"))
    assert shared(store).cancelled_utc is None
    case = store.read(incidents.case, shared(store).id)
    assert case
    assert case.timeline[-1].deed == "cancelled"


def test_no_call_sinks_among_tests(store: Store) -> None:
    invent(store, OPEN_MOST)
    for n, kind in enumerate((Kind.TEST, Kind.HELP_BUTTON, Kind.TEST)):
        one = event(alarm=f"more-{n}")
        hear(store, replace(one, data=replace(one.data, kind=kind)))
    assert (shared(store).kind, shared(store).surplus) == (Kind.HELP_BUTTON, 3)


def test_a_hub_is_told_of_its_surplus_alarms_when_it_asks(store: Store) -> None:
    invent(store, OPEN_MOST + 2)
    last = f"{HUB}-{OPEN_MOST + 1}"
    (ack,) = hear(store, state(state().state, (last, Stage.RECEIVED, 0))).acks
    assert (ack.alarm, ack.stage) == (last, Stage.RECEIVED)
    assert shared(store).alarm != last, "the question changes nothing"


def test_a_surplus_that_was_dealt_with_begins_anew(store: Store) -> None:
    invent(store, OPEN_MOST + 1)
    first = shared(store)

    def close(conn: object) -> None:
        from sqlalchemy import Connection, update  # noqa: PLC0415 - only here

        from center.store.tables import incidents  # noqa: PLC0415

        assert isinstance(conn, Connection)
        conn.execute(update(incidents).where(incidents.c.id == first.id).values(stage="closed"))

    store.submit(close).result(10)
    hear(store, event(alarm="new"))
    assert len(still_open(store, HUB)) == OPEN_MOST + 1
    assert len([i for i in store.read(incidents.incidents, Which.ALL, 500) if i.surplus]) == 2


def test_a_crowd_in_one_home_is_none_in_another(store: Store) -> None:
    invent(store, OPEN_MOST)
    invent(store, 1, OTHER)
    assert not still_open(store, OTHER)[0].surplus


# The board.


def test_the_oldest_call_is_on_the_board_whatever_comes_after_it(store: Store) -> None:
    hear(store, event(alarm="real", hub="js-9999"), "js-9999", utc=NOW - 300.0)
    for thief in range(10):
        invent(store, 100, f"thief-{thief}")
    shown, total = store.read(incidents.board, 20)
    assert total == 1 + 10 * (OPEN_MOST + 1)
    assert shown[0].alarm == "real"


def test_a_home_that_calls_last_is_shown_before_another_homes_second_call(store: Store) -> None:
    for thief in range(5):
        invent(store, 15, f"thief-{thief}")
    hear(store, event(alarm="real", hub="js-9999"), "js-9999", utc=NOW + 300.0)
    shown, _ = store.read(incidents.board, 6)
    assert "real" in {one.alarm for one in shown}
    assert len({one.hub for one in shown}) == 6


def test_the_board_says_what_it_does_not_show(
    office: Office, operator: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("center.console.visit.OPEN_MAX", 10)
    for n in range(OPEN_MOST + 5):
        office.press("js-0007", alarm=f"a{n}", ago_s=1.0)
    page = operator.get("/?lang=en").text
    assert f"{OPEN_MOST + 1 - 10} more open calls" in page
    monkeypatch.setattr("center.console.visit.OPEN_MAX", 1000)
    assert "More calls from one home than can be shown: 5" in operator.get("/?lang=en").text
    assert "호출이 왔습니다: 5건" in operator.get("/?lang=ko").text


@pytest.mark.parametrize("what", [What.CANCELLED, What.CLEARED, What.PRESENT])
def test_the_end_of_an_alarm_that_first_shows_so_says_nothing_of_the_rest(
    store: Store, what: What
) -> None:
    """The centre refused the alarm's first message while too many were open; it comes again."""
    invent(store, OPEN_MOST + 3)
    before = shared(store)
    hear(store, event(what, alarm="new"))
    after = shared(store)
    assert (after.stage, after.cancelled_utc, after.cleared_utc, after.present_utc) == (
        before.stage, None, None, None,
    )  # fmt: skip
    assert after.version == before.version + 1


@pytest.mark.parametrize("what", [What.RAISED, What.REPEATED, What.of("from-the-future")])
def test_a_call_in_a_surplus_that_was_closed_rings_whatever_its_word(
    store: Store, what: What
) -> None:
    invent(store, OPEN_MOST + 3)
    ident = shared(store).id
    act = Act("김하늘", NOW + 10)

    def end(conn: Connection) -> None:
        incident = incidents.incident(conn, ident)
        assert incident
        change = close(incident, act, Outcome.REASSURED)
        assert isinstance(change, Change)
        incidents.save(conn, change)

    store.submit(end).result(10)
    hear(store, event(what, alarm=f"{HUB}-{OPEN_MOST + 1}", ident="again"), utc=NOW + 20)
    assert shared(store).needs_person
