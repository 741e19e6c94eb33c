"""Programs claim hubs too; the health page knows how long the authority lives."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from center.service import auth, enrolment
from center.service.auth import Role
from center.store.rows import accounts
from tests.center.e2e.office import Office
from tests.center.est import request, settings

TOKEN = "anbu_nobody_knows_this"  # noqa: S105 - of a program that does not exist


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=settings(tmp_path)) as office:
        put, hashed = accounts.put_token, auth.digest(TOKEN)
        office.store.submit(
            lambda conn: put(conn, office.now(), "tool", Role.OPERATOR.value, hashed)
        ).result(10)
        yield office


@pytest.fixture
def tool(office: Office) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with office.visit(headers=headers) as tool:
        yield tool


def test_a_program_claims_a_hub_and_sees_that_it_has_fetched(
    office: Office, tool: httpx.Client
) -> None:
    body = request(ec.generate_private_key(ec.SECP256R1()))
    waits = office.act(enrolment.ask(office.desk, body, "203.0.113.9"))
    wish = {"digits": waits.digits, "hub": "js-0417"}
    answer = tool.post("/api/claims", json=wish)
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_home")
    answer = tool.post("/api/claims", json={**wish, "known_home": False})
    assert (answer.status_code, answer.json()["state"]) == (200, "authorised")
    assert answer.json()["by"] == "token:tool"
    key = answer.json()["key"]
    assert tool.get(f"/api/claims/{key}").json()["certificate_ends"] is None
    office.act(enrolment.ask(office.desk, body, "203.0.113.9"))
    shown = tool.get(f"/api/claims/{key}").json()
    assert (shown["state"], shown["hub"]) == ("issued", "js-0417")
    assert shown["certificate_ends"]
    assert tool.get("/api/claims/nobody").json()["error"] == "not_found"


def test_a_program_is_told_what_is_wrong_in_its_language(
    office: Office, tool: httpx.Client
) -> None:
    assert office.url
    wish = {"digits": "00000000", "hub": "js-0417", "known_home": False}
    answer = tool.post("/api/claims", json=wish)
    assert (answer.status_code, answer.json()["error"]) == (404, "no_such_digits")
    assert "green button" in answer.json()["message"]
    korean = tool.post("/api/claims", json=wish, headers={"accept-language": "ko"})
    assert "초록 단추" in korean.json()["message"]
    assert httpx.post(f"{office.url}/api/claims", json=wish).status_code == 401


def test_the_health_page_knows_how_long_the_authority_lives(
    office: Office, tool: httpx.Client
) -> None:
    own = tool.get("/healthz").json()["authority"]
    assert own["ok"]
    assert 19 * 365 * 86_400 < own["left_s"] < 20 * 365 * 86_400
    assert 364 * 86_400 < own["port_left_s"] < 365 * 86_400
    assert 'anbu_certificate_left_seconds{certificate="port"}' in tool.get("/metrics").text
    office.ahead_s = 340 * 86_400.0
    health = tool.get("/healthz").json()
    assert not health["authority"]["ok"], "the port's certificate ends within a month"
    assert health["ok"], "which is no reason to start the centre again"
