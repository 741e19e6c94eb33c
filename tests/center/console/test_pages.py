"""The console over plain HTTP: what needs no browser to be seen."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from center.service.auth import COOKIE, Role
from hub.contract.scaip import Kind, What
from tests.center.e2e.office import PASSWORD, SESSION_S, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        office.hire("이정민", Role.SUPERVISOR)
        yield office


@pytest.fixture
def visitor(office: Office) -> Iterator[httpx.Client]:
    with office.visit() as visitor:
        yield visitor


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    with office.visit("김하늘") as operator:
        yield operator


@pytest.fixture
def supervisor(office: Office) -> Iterator[httpx.Client]:
    with office.visit("이정민") as supervisor:
        yield supervisor


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def test_who_is_not_signed_in_sees_nothing_but_the_gate(visitor: httpx.Client) -> None:
    for path in ("/", "/hubs", "/audit", "/incidents/x"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert visitor.get(path, headers={"Anbu-Live": "1"}).status_code == 401
    assert visitor.post("/incidents/x/take").status_code == 303


def test_every_page_bears_its_shields(operator: httpx.Client) -> None:
    for path in ("/", "/sign-in", "/hubs", "/audit", "/incidents/none"):
        headers = operator.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_a_forged_form_is_refused_and_changes_nothing(
    office: Office, operator: httpx.Client
) -> None:
    alarm = office.press()
    for csrf in ({}, {"csrf": "guess"}, {"csrf": "추측"}):
        answer = operator.post(f"/incidents/{alarm}/take", data=csrf)
        assert answer.status_code == 403
        assert "화면이 오래되어" in answer.text
    assert "아직 아무도" in operator.get(f"/incidents/{alarm}").text


def test_a_forged_sign_in_is_refused(visitor: httpx.Client) -> None:
    entry = {"name": "김하늘", "password": PASSWORD}
    assert visitor.post("/sign-in", data=entry).status_code == 403
    page = visitor.get("/sign-in").text
    signed_in = visitor.post("/sign-in", data={**entry, "csrf": hidden(page, "csrf")})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    assert "httponly" in signed_in.headers["set-cookie"].lower()


def entered(browser: httpx.Client, password: str) -> httpx.Response:
    entry = {"name": "김하늘", "password": password}
    csrf = hidden(browser.get("/sign-in").text, "csrf")
    return browser.post("/sign-in", data={**entry, "csrf": csrf})


def test_a_console_that_was_signed_in_to_passes_whatever_its_neighbours_guess(
    office: Office, visitor: httpx.Client
) -> None:
    assert entered(visitor, PASSWORD).status_code == 303
    with office.visit() as stranger:
        tries = [entered(stranger, "a guess").status_code for _ in range(5)]
        assert tries == [401, 401, 401, 429, 429]
        assert entered(stranger, PASSWORD).status_code == 429
    visitor.cookies.delete(COOKIE)
    assert entered(visitor, PASSWORD).status_code == 303


def test_forms_work_without_scripts(office: Office, operator: httpx.Client) -> None:
    alarm = office.press()
    page = operator.get("/").text
    form = {"csrf": hidden(page, "csrf"), "version": hidden(page, "version")}
    taken = operator.post(f"/incidents/{alarm}/take", data=form)
    assert (taken.status_code, taken.headers["location"]) == (303, f"/incidents/{alarm}")
    again = operator.get(f"/incidents/{alarm}").text
    assert "내가 맡은 호출입니다." in again
    form["version"] = hidden(again, "version")
    closing = f"/incidents/{alarm}/close"
    assert operator.post(closing, data=form).status_code == 422
    needs_note = operator.post(closing, data={**form, "outcome": "other_need"})
    assert "이 결과에는 메모가 필요합니다." in needs_note.text
    done = operator.post(closing, data={**form, "outcome": "reassured"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert operator.post(closing, data={**form, "outcome": "reassured"}).status_code == 409


def rings(page: str) -> int:
    found = re.search(r'data-rings="(\d+)"', page)
    assert found
    return int(found[1])


def test_a_call_that_comes_again_rings_at_its_holder_and_a_minute_later_at_everybody(
    office: Office, operator: httpx.Client, supervisor: httpx.Client
) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    assert (rings(operator.get("/").text), rings(supervisor.get("/").text)) == (0, 0)
    office.hear("js-0001", office.event("js-0001", alarm, what=What.REPEATED))
    mine = operator.get("/hubs").text
    assert rings(mine) == 1
    assert "맡으신 호출이 다시 들어왔습니다" in mine
    assert f'id="say-again-{alarm}-2"' in mine  # spoken, and it ends a mute
    assert rings(supervisor.get("/").text) == 0
    office.ahead_s += 61
    office.settle(alarm, "unanswered")
    assert (rings(operator.get("/").text), rings(supervisor.get("/").text)) == (1, 1)
    assert "김하늘 상담원의 답이 없어 대기로 돌아감" in supervisor.get(f"/incidents/{alarm}").text


def test_a_call_that_came_again_is_answered_with_one_button(
    office: Office, operator: httpx.Client
) -> None:
    alarm = office.press()
    office.take(alarm, "김하늘")
    office.hear("js-0001", office.event("js-0001", alarm, what=What.REPEATED))
    page = operator.get(f"/incidents/{alarm}").text
    assert 'id="answer"' in page
    form = {"csrf": hidden(page, "csrf"), "version": hidden(page, "version")}
    operator.post(f"/incidents/{alarm}/take", data=form)
    answered = operator.get(f"/incidents/{alarm}").text
    assert "다시 들어온 호출을 확인함" in answered
    assert rings(answered) == 0


def test_that_somebody_is_on_the_way_is_said_once_and_shown(
    office: Office, operator: httpx.Client
) -> None:
    alarm = office.press()
    page = operator.get(f"/incidents/{alarm}").text
    assert 'id="send"' in page
    form = {"csrf": hidden(page, "csrf"), "version": hidden(page, "version")}
    operator.post(f"/incidents/{alarm}/send", data=form)
    sent = operator.get(f"/incidents/{alarm}").text
    assert 'id="send"' not in sent
    assert "사람을 보냈다고 표시함" in sent
    assert "내가 맡은 호출입니다." in sent


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 400, "٣"])
def test_a_nonsense_version_is_no_crash(
    office: Office, operator: httpx.Client, version: str
) -> None:
    alarm = office.press()
    csrf = hidden(operator.get("/").text, "csrf")
    form = {"csrf": csrf, "version": version, "text": "x", "note": "메모"}
    assert operator.post(f"/incidents/{alarm}/note", data=form).status_code in {303, 409}


@pytest.mark.parametrize("verb", ["take", "send", "present", "close", "reopen", "note"])
def test_acting_on_no_incident_is_a_plain_404(operator: httpx.Client, verb: str) -> None:
    csrf = hidden(operator.get("/").text, "csrf")
    answer = operator.post(f"/incidents/none/{verb}", data={"csrf": csrf, "note": "x"})
    assert answer.status_code == 404
    assert "없는 호출입니다" in answer.text


def test_what_a_hub_or_a_person_writes_stays_text(office: Office, operator: httpx.Client) -> None:
    evil = "<script>alert(1)</script>\"'"
    alarm = office.press("js-0001", place=evil, device=evil)
    csrf = hidden(operator.get("/").text, "csrf")
    operator.post(f"/incidents/{alarm}/note", data={"csrf": csrf, "note": evil})
    for path in ("/", f"/incidents/{alarm}", "/hubs?q=" + evil):
        page = operator.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_running_page_gets_its_live_regions_only(office: Office, operator: httpx.Client) -> None:
    office.press()
    piece = operator.get("/", headers={"Anbu-Live": "1"}).text
    assert piece.count("data-live") == 3
    assert 'data-waiting="1"' in piece
    assert "<html" not in piece


def test_the_audit_pages_filters_and_survives_nonsense(
    office: Office, supervisor: httpx.Client, operator: httpx.Client
) -> None:
    assert operator.get("/audit").status_code == 403
    for number in range(60):
        office.press("js-0001", alarm=f"a-{number}")
    newest = supervisor.get("/audit?operator=&since=nonsense").text
    assert newest.count("<tr>") == 51
    older = re.search(r'href="(/audit[^"]*before=\d+)"', newest)
    assert older
    assert "이전 기록" not in supervisor.get(unescape(older[1])).text
    assert supervisor.get("/audit?incident=a-7").text.count("<tr>") == 2
    assert supervisor.get("/audit?since=2000-01-01&until=2000-01-02").text.count("<tr>") == 0
    for nonsense in ("before=x", "before=" + "9" * 99, "since=9999-99-99", "until=9999-12-31"):
        assert supervisor.get("/audit?" + nonsense).status_code == 200


def test_the_wait_is_told_where_a_call_came_late(office: Office, operator: httpx.Client) -> None:
    alarm = office.press(ago_s=2400)
    assert "발생 40:00 뒤에 도착" in operator.get("/").text
    assert "40:00 걸림" in operator.get(f"/incidents/{alarm}").text


def test_an_unsynchronised_clock_is_said(office: Office, operator: httpx.Client) -> None:
    alarm = office.press(synced=False)
    page = operator.get(f"/incidents/{alarm}").text
    assert "허브 시계가 맞지 않아" in page
    assert "시각 모름" in page


def test_a_deaf_centre_says_so_on_every_page(office: Office, operator: httpx.Client) -> None:
    assert "듣지 못하고 있습니다" not in operator.get("/").text
    office.go_deaf()
    for path in ("/", "/hubs"):
        assert "듣지 못하고 있습니다" in operator.get(path).text


def test_tests_and_cancelled_calls_wait_below_the_others(
    office: Office, operator: httpx.Client
) -> None:
    test = office.press("js-0003", kind=Kind.TEST)
    calm = office.press("js-0001")
    office.cancel("js-0001", calm)
    urgent = office.press("js-0002")
    page = operator.get("/").text
    order = re.findall(r'<article.*?data-key="call-([^"]+)"', page)
    assert order == [urgent, calm, test]


def test_a_session_ends(office: Office, operator: httpx.Client) -> None:
    assert operator.get("/").status_code == 200
    office.ahead_s = SESSION_S + 1
    assert operator.get("/").status_code == 303


def test_the_icon_counts(operator: httpx.Client) -> None:
    assert "<text" not in operator.get("/icon/0.svg").text
    assert ">3<" in operator.get("/icon/3.svg").text
    assert ">9+<" in operator.get("/icon/12.svg").text
