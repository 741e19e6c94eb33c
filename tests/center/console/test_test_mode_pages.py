"""A person at the centre begins a home's test mode, sees it, answers its press, and ends it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from center.domain.incident import Outcome
from center.store.rows import hubs, incidents, leases
from hub.contract.messages import CommandKind, Reply, Stage
from tests.broker import wait_until
from tests.center.e2e.office import Office
from tests.center.making import event

HUB = "js-0001"
HOME = f"/homes/{HUB}"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        office.greet(HUB)
        yield office


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    with office.visit("김하늘") as operator:
        yield operator


def says(operator: httpx.Client, do: str, code: int = 303) -> str:
    """Send the form of the home's page; return the page that follows."""
    csrf = re.search(r'name="csrf" value="([^"]*)"', operator.get(HOME).text)
    assert csrf
    answer = operator.post(f"{HOME}/test-mode", data={"csrf": csrf[1], "do": do})
    assert answer.status_code == code
    return operator.get(HOME).text if code == 303 else answer.text


def begun(office: Office, operator: httpx.Client) -> None:
    """Begin test mode; the hub shows it, and its boot is known."""
    says(operator, "begin")
    office.hear(HUB, Reply(office.orders[-1][1].id, done=True))


def pressed(office: Office, *, synced: bool = True) -> str:
    boot = office.store.read(leases.standing, office.now(), HUB)[0].boot
    said = event(at=office.now())
    office.hear(HUB, replace(said, data=replace(said.data, boot=boot, synced=synced)))
    (one,) = office.store.read(incidents.of_hub, HUB)
    return one.id


def test_it_is_ordered_once_shown_when_the_hub_shows_it_and_ended(
    office: Office, operator: httpx.Client
) -> None:
    page = says(operator, "begin")
    ((hub, command),) = office.orders
    assert (hub, command.kind, command.lasts_s) == (HUB, CommandKind.TEST_MODE, 900.0)
    assert "허브가 답할 때까지는 모든 누름이 바로 울립니다" in page
    assert 'id="test-mode"' not in page
    office.hear(HUB, Reply(command.id, done=True))
    for shown in (operator.get(HOME).text, operator.get("/").text):
        assert "시험 모드 · 김하늘 · " in shown
    assert "김하늘 님이" in says(operator, "begin", 409)
    page = says(operator, "end")
    assert 'id="test-mode"' in page
    assert "시험 모드 · 김하늘" not in operator.get("/").text
    assert (office.orders[-1][1].kind, office.orders[-1][1].lasts_s) == (CommandKind.TEST_MODE, 0.0)


def test_a_press_in_it_rings_nobody_and_is_answered_as_the_test(
    office: Office, operator: httpx.Client
) -> None:
    begun(office, operator)
    ident = pressed(office)
    board = operator.get("/").text
    assert "시험으로 기다림" in board
    assert f'data-key="call-{ident}"' not in board
    page = operator.get(f"/incidents/{ident}").text
    form = re.search(r'/test".*?csrf" value="([^"]*)".*?version" value="(\d+)"', page, re.DOTALL)
    assert form
    data = {"csrf": form[1], "version": form[2]}
    assert operator.post(f"/incidents/{ident}/test", data=data | {"csrf": "x"}).status_code == 403
    assert operator.post(f"/incidents/{ident}/test", data=data).status_code == 303
    case = office.store.read(incidents.case, ident)
    assert case
    assert (case.incident.stage, case.incident.outcome) == (Stage.CLOSED, Outcome.TEST)
    assert "시험" in operator.get(f"/incidents/{ident}").text


def test_while_the_hubs_clock_is_not_set_the_page_says_that_a_press_is_a_real_call(
    office: Office, operator: httpx.Client
) -> None:
    begun(office, operator)
    real, test = "지금 누르면 진짜 호출입니다", "시험으로 기다립니다"
    page = operator.get(HOME).text
    assert (test in page, real in page) == (True, False)
    office.greet(HUB, synced=False)
    page = operator.get(HOME).text
    assert (test in page, real in page) == (False, True)
    ident = pressed(office, synced=False)
    assert f'data-key="call-{ident}"' in operator.get("/").text  # as it said: it rings


def test_of_a_hub_that_was_never_heard_nothing_is_said_of_its_clock(office: Office) -> None:
    other = "js-0002"
    office.hear(other, event(at=office.now()))  # no state: nobody knows its clock
    (hub,) = office.store.read(hubs.known, other)
    assert (hub.synced, hub.is_unsynced) == (False, False)
    office.greet(other, synced=False)
    assert office.store.read(hubs.known, other)[0].is_unsynced


def test_an_answer_that_comes_too_late_is_refused_and_it_rings(
    office: Office, operator: httpx.Client
) -> None:
    begun(office, operator)
    ident = pressed(office)
    office.ahead_s += 61
    csrf = re.search(r'name="csrf" value="([^"]*)"', operator.get(HOME).text)
    assert csrf
    answer = operator.post(f"/incidents/{ident}/test", data={"csrf": csrf[1]})
    assert answer.status_code == 409

    shown = f'data-key="call-{ident}"'
    wait_until(lambda: shown in operator.get("/").text, "the call to ring")


def test_without_a_link_a_hub_or_the_pages_key_nothing_begins(
    office: Office, operator: httpx.Client
) -> None:
    assert operator.post(f"{HOME}/test-mode", data={"do": "begin"}).status_code == 403
    assert says(operator, "sing", 404)
    office.go_deaf()
    assert "브로커에 연결되어 있지 않아" in says(operator, "begin", 409)
    assert office.orders == []
    assert office.store.read(leases.standing, office.now()) == []
