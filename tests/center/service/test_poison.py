"""A message that can never be stored does not block others, and is not taken for a full disk.

What such a hub sends is what a stolen one could: it knows the program, and its own key.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, OperationalError

from center.service import inbox, intake
from center.service.intake import Received
from center.service.surplus import OPEN_MOST
from center.store.rows.incidents import SHARED
from hub.contract import wire
from hub.contract.messages import CheckInResult, Stage
from tests.center.lives import check_in
from tests.center.making import HUB, event, stored
from tests.center.test_borders import TORN, Desk

NEIGHBOUR = "js-0002"
BAD = "bad alarm"
EVIL = "evil"
SQL = "INSERT"
ERRORS = (IntegrityError, DataError, OperationalError)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with stored(tmp_path) as store:
        yield Desk(store)


def of_digest() -> list[str]:
    """Name an alarm as the centre names the next one, which is unfit for an address."""
    return ["x-" + hashlib.sha256(f"{HUB}\n{BAD}".encode()).hexdigest()[:32], BAD]


def of_surplus() -> list[str]:
    """Name an alarm as the centre names the incident which the last one begins."""
    return [f"{SHARED}{EVIL}", *(f"a-{n}" for n in range(OPEN_MOST - 1)), EVIL]


@pytest.mark.parametrize("alarms", [of_digest(), of_surplus()], ids=["digest", "surplus"])
def test_names_that_clash_with_the_centres_own_ring_and_silence_nobody(
    desk: Desk, alarms: list[str]
) -> None:
    for alarm in alarms:
        desk.receive(wire.encode(event(alarm=alarm)))
        assert desk.acked(alarm) == [Stage.RECEIVED]
    desk.receive(wire.encode(event(alarm="b2-1", hub=NEIGHBOUR)), hub=NEIGHBOUR)
    assert desk.acked("b2-1") == [Stage.RECEIVED]
    assert desk.link.redials == []
    assert desk.tally.refused() == {}
    assert len(desk.open_ones()) == len(alarms) + 1


def failing(
    error: type[DatabaseError], what: str, received: Received, conn: Connection
) -> intake.Told:
    if what in received.raw and not received.lost:
        raise error(SQL, {}, sqlite3.Error())
    return intake.store_message(conn, received)


@pytest.mark.parametrize("error", ERRORS)
def test_a_call_that_fails_while_the_store_works_rings_bare(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[DatabaseError]
) -> None:
    monkeypatch.setattr(inbox, "_stored", partial(failing, error, "b1-1"))
    desk.receive(wire.encode(event()))
    (one,) = desk.open_ones()
    assert (one.unread, one.needs_person) == ("*", True)
    assert desk.link.redials == []
    assert desk.tally.refused() == {inbox.UNSTORABLE: 1}


def test_a_torn_call_that_fails_by_the_words_found_in_it_rings_without_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_by_name(received: Received, conn: Connection) -> intake.Told:
        if received.message.id == "b1-1":  # type: ignore[union-attr]  # an alarm is all that comes
            raise IntegrityError(SQL, {}, sqlite3.Error())
        return intake.store_message(conn, received)

    monkeypatch.setattr(inbox, "_stored", failing_by_name)
    desk.receive(TORN)
    (one,) = desk.open_ones()
    assert (one.hub, one.unread, one.needs_person) == (HUB, "*", True)
    assert desk.link.redials == []


@pytest.mark.parametrize("error", ERRORS)
def test_what_is_no_call_and_fails_while_the_store_works_is_counted_and_let_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[DatabaseError]
) -> None:
    monkeypatch.setattr(inbox, "_stored", partial(failing, error, "c1"))
    desk.receive(wire.encode(check_in(CheckInResult.MISSED, ident="c1")))
    assert (desk.link.redials, desk.open_ones()) == ([], [])
    assert desk.tally.refused() == {inbox.UNSTORABLE: 1}


def test_a_store_that_failed_once_and_works_again_takes_the_message_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = [OperationalError(SQL, {}, sqlite3.Error())]

    def stored_late(received: Received, conn: Connection) -> intake.Told:
        if locked:
            raise locked.pop()
        return intake.store_message(conn, received)

    monkeypatch.setattr(inbox, "_stored", stored_late)
    desk.receive(wire.encode(event()))
    assert [one.unread for one in desk.open_ones()] == [""]
    assert desk.acked("b1-1") == [Stage.RECEIVED]
    assert (desk.link.redials, desk.tally.refused()) == ([], {})


def no_probe(error: type[DatabaseError], *_: object, **__: object) -> None:
    raise error(SQL, {}, sqlite3.Error())


@pytest.mark.parametrize("error", ERRORS)
def test_whatever_the_error_a_store_that_takes_no_probe_has_it_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[DatabaseError]
) -> None:
    monkeypatch.setattr(inbox, "_stored", partial(failing, error, "b1-1"))
    monkeypatch.setattr("center.service.inbox.write_probe", partial(no_probe, error))
    with pytest.raises(AssertionError, match="the broker may forget it"):
        desk.receive(wire.encode(event()))
    assert len(desk.link.redials) == 1
    assert desk.tally.refused() == {}


def test_a_disk_that_takes_a_probe_and_no_call_loses_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> intake.Told:
        raise OperationalError(SQL, {}, sqlite3.Error())

    monkeypatch.setattr(inbox, "_stored", full)
    with pytest.raises(AssertionError, match="the broker may forget it"):
        desk.receive(wire.encode(event()))
    assert len(desk.link.redials) == 1
