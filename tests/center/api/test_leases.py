"""Programs begin and end test mode; a lease is a home's with its present hub, and no other's."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from center.api import openapi
from center.domain.enrolment import Reason
from center.domain.lease import LASTS_S
from center.service import auth, enrolment, revocation
from center.service.auth import Role
from center.service.enrolment import Who, Wish
from center.store.rows import accounts, incidents
from hub.contract.messages import CommandKind, Reply, Stage
from tests.center.e2e.office import Office
from tests.center.est import request, settings

TOKEN = "anbu_nobody_knows_this"  # noqa: S105 - of a program that does not exist
HUB = "js-0001"
PATH = f"/api/homes/{HUB}/test-mode"
WHO = Who("이설치", "127.0.0.1")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=settings(tmp_path)) as office:
        put, hashed = accounts.put_token, auth.digest(TOKEN)
        office.store.submit(
            lambda conn: put(conn, office.now(), "tool", Role.OPERATOR.value, hashed)
        ).result(10)
        office.greet(HUB, boot="boot")
        yield office


@pytest.fixture
def tool(office: Office) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with office.visit(headers=headers) as tool:
        yield tool


def shown(office: Office) -> None:
    """The home says that it shows the lease that was ordered last."""
    hub, command = office.orders[-1]
    assert (hub, command.kind) == (HUB, CommandKind.TEST_MODE)
    office.hear(HUB, Reply(command.id, done=True))


def new_hub(office: Office) -> None:
    """Another hub is claimed for the home, and fetches its certificate."""
    body = request(ec.generate_private_key(ec.SECP256R1()))
    waits = office.act(enrolment.ask(office.desk, body, "203.0.113.9"))
    office.act(enrolment.claim(office.desk, WHO, Wish(waits.digits, HUB, replaces=True)))
    office.act(enrolment.ask(office.desk, body, "203.0.113.9"))


def waiting(office: Office) -> list[Stage]:
    found = office.store.read(incidents.incidents, incidents.Which.OPEN, 10)
    return [one.stage for one in found]


def test_a_program_begins_test_mode_sees_it_and_ends_it(office: Office, tool: httpx.Client) -> None:
    assert tool.get(PATH).json() == {
        "hub": HUB, "on": False, "by": "", "since": None, "until": None, "shown": None
    }  # fmt: skip
    begun = tool.post(PATH).json()
    assert (begun["on"], begun["by"], begun["shown"]) == (True, "token:tool", None)
    assert office.orders[-1][1].lasts_s == LASTS_S
    shown(office)
    assert tool.get(PATH).json()["shown"]
    assert tool.post(f"{PATH}/end").json()["on"] is False
    assert tool.post(PATH, json={"lasts_s": 120}).json()["until"]


def test_what_is_refused_is_said_in_a_sentence(office: Office, tool: httpx.Client) -> None:
    tool.post(PATH)
    again = tool.post(PATH)
    assert (again.status_code, again.json()["error"]) == (409, "has_one")
    assert "token:tool" in again.json()["message"]
    tool.post(f"{PATH}/end")
    for body, error in (({"lasts_s": 5}, "bad_length"), ({"lasts": 5}, "bad_request")):
        answer = tool.post(PATH, json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    nobody = tool.post("/api/homes/js-9999/test-mode")
    assert nobody.json()["error"] == "no_hub"
    korean = tool.post("/api/homes/js-9999/test-mode", headers={"accept-language": "ko"})
    assert "허브가 없습니다" in korean.json()["message"]
    assert httpx.get(f"{office.url}{PATH}").status_code == 401


def test_the_document_has_the_routes() -> None:
    paths = openapi.document()["paths"]
    assert set(paths["/api/homes/{hub}/test-mode"]) == {"get", "post"}
    assert set(paths["/api/homes/{hub}/test-mode/end"]) == {"post"}


def test_a_lease_does_not_follow_to_another_hub(office: Office, tool: httpx.Client) -> None:
    """Also one that the home has not shown yet: its command may reach the new hub."""
    for is_shown in (True, False):
        tool.post(PATH)
        if is_shown:
            shown(office)
            office.ahead_s = 1.0  # a moment later: the message tells milliseconds
            office.press(HUB)
            assert waiting(office) == [Stage.ACCEPTED], "it waits as a test"
        new_hub(office)
        assert tool.get(PATH).json()["on"] is False
        office.hear(HUB, Reply(office.orders[-1][1].id, done=True))
        assert tool.get(PATH).json()["on"] is False, "no reply brings it back"
        assert waiting(office) == [Stage.RECEIVED], "what waited is a call"


def test_a_lease_ends_with_a_hub_that_is_struck_off(office: Office, tool: httpx.Client) -> None:
    tool.post(PATH)
    assert office.act(revocation.strike_off(office.desk, HUB, "김관리", Reason.STOLEN))
    assert tool.get(PATH).json()["on"] is False
