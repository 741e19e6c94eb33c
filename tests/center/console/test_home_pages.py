"""The homes' pages over plain HTTP: what needs no browser to be seen."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from center.console.homes.record import typed_of
from center.domain import times
from center.domain.incident import Deed, Entry, Outcome
from center.domain.record import Consent, ConsentItem, Record
from center.service.auth import COOKIE, Role
from center.store.rows import audit, needs, records
from hub.contract.messages import CheckInResult, FaultKind
from hub.contract.scaip import Care, Kind, What
from tests.center.e2e.office import Office
from tests.center.lives import QUIET, RECORD, care, check_in, usual_hours

HUB = "js-0001"
HOME = f"/homes/{HUB}"
SHEET = f"{HOME}/119"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        office.hire("이정민", Role.SUPERVISOR)
        yield office


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    with office.visit("김하늘") as operator:
        yield operator


def write(office: Office, record: Record = RECORD, hub: str = HUB, by: str = "이정민") -> None:
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by=by)
    office.store.submit(lambda conn: records.put(conn, hub, record, change)).result()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def deeds(office: Office) -> list[Deed]:
    lines = office.store.read(audit.search)
    return [line.entry.deed for line in reversed(lines) if line.entry.hub == HUB]


def raise_quiet(office: Office, what: What = What.RAISED) -> None:
    said = office.event(HUB, "q-1", "", what=what, kind=Kind.QUIET, device="")
    evidence = replace(QUIET, since_utc=office.now() - QUIET.lasted_s)
    office.hear(HUB, replace(said, data=replace(said.data, evidence=evidence)))


def test_a_stranger_sees_nothing_of_any_home(office: Office) -> None:
    write(office)
    with office.visit() as stranger:
        for path in (HOME, f"{HOME}/edit", SHEET, "/calls-today", "/checkins", "/false-alarms"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
            assert RECORD.name not in answer.text
        assert stranger.post(f"{HOME}/edit").status_code == 303
        assert stranger.post(f"/calls-today/{HUB}").status_code == 303


@pytest.mark.parametrize(
    "path", ["/homes/none", "/homes/none/edit", "/homes/none/119", "/homes/%00"]
)
def test_a_home_that_is_not_there_is_a_plain_404(operator: httpx.Client, path: str) -> None:
    answer = operator.get(path)
    assert answer.status_code == 404
    assert "그런 가정이 없습니다." in answer.text


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_page_opens_empty_and_full_in_both_languages(
    office: Office, operator: httpx.Client, lang: str
) -> None:
    office.greet(HUB)
    paths = (HOME, f"{HOME}/edit", SHEET, "/calls-today", "/checkins", "/false-alarms", "/hubs")
    for path in paths:
        assert operator.get(f"{path}?lang={lang}").status_code == 200
    write(office)
    for hour in usual_hours(office.now(), 24 * 8):
        office.hear(HUB, hour)
    for result in CheckInResult:
        day = times.day_of(office.now())
        office.hear(HUB, check_in(result, f"{day}-{9 + list(CheckInResult).index(result):02}00"))
    for one in Care:
        office.hear(HUB, care(one))
    office.fault(HUB, FaultKind.LOW_BATTERY, "pir1")
    raise_quiet(office)
    for path in (*paths, "/incidents/q-1", f"{HOME}?days=7", f"{HOME}?days=x", "/"):
        page = operator.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.status_code == 200
        assert "{" not in re.sub(r'data-ago_\w="[^"]*"', "", page.text)


def test_an_incident_says_why_and_shows_the_days(office: Office, operator: httpx.Client) -> None:
    write(office)
    for hour in usual_hours(office.now(), 40):
        office.hear(HUB, hour)
    raise_quiet(office)
    page = operator.get("/incidents/q-1").text
    assert "5시간 20분 동안 움직임이 없습니다." in page
    assert "보통 길어야 1시간 30분입니다." in page
    assert "거실, 부엌, 욕실에서" in page
    assert page.count('class="mark"') == 1
    assert "<title>거실 " in page
    assert "010-0000-0102" in page
    raise_quiet(office, What.CLEARED)
    assert "다시 움직임이 있었습니다" in operator.get("/incidents/q-1").text
    board = operator.get("/").text
    assert "다시 움직임 있음" in board
    assert RECORD.name in board


def test_to_look_at_a_record_is_written_down_and_refreshing_is_not(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    operator.get(HOME)
    for _ in range(3):
        assert operator.get(HOME, headers={"Anbu-Live": "1"}).status_code == 200
    assert deeds(office) == [Deed.RECORD_CHANGED, Deed.RECORD_SEEN]


def test_who_only_pretends_to_refresh_is_written_down_too(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    assert RECORD.name in operator.get(HOME, headers={"Anbu-Live": "1"}).text
    assert deeds(office) == [Deed.RECORD_CHANGED, Deed.RECORD_SEEN]
    sheet = operator.get(SHEET, headers={"Anbu-Live": "1"}).text
    assert RECORD.address not in sheet
    edit = operator.get(f"{HOME}/edit", headers={"Anbu-Live": "1"}).text
    assert RECORD.address not in edit


def form(page: str) -> dict[str, str]:
    return {"csrf": hidden(page, "csrf"), "version": hidden(page, "version")}


def test_a_record_is_written_by_its_form(office: Office, operator: httpx.Client) -> None:
    office.greet(HUB)
    page = operator.get(f"{HOME}/edit").text
    saved = operator.post(f"{HOME}/edit", data={**typed_of(RECORD), **form(page)})
    assert (saved.status_code, saved.headers["location"]) == (303, HOME)
    kept = office.store.read(records.find, HUB)
    assert kept
    assert (kept.record, kept.version, kept.changed_by) == (RECORD, 1, "김하늘")
    assert "0000#" in operator.get(HOME).text


def test_a_record_with_mistakes_is_given_back_with_what_was_typed(
    office: Office, operator: httpx.Client
) -> None:
    office.greet(HUB)
    page = operator.get(f"{HOME}/edit").text
    typed = {**typed_of(RECORD), **form(page), "birth_year": "41", "phone": "<b>x"}
    refused = operator.post(f"{HOME}/edit", data=typed)
    assert refused.status_code == 422
    assert "고칠 곳이 2군데" in refused.text
    assert 'aria-describedby="bad-birth_year"' in refused.text
    assert 'value="&lt;b&gt;x"' in refused.text
    assert office.store.read(records.names) == {}


def test_the_second_writer_learns_who_was_first_and_keeps_what_was_typed(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    page = operator.get(f"{HOME}/edit").text
    write(office, replace(RECORD, notes="먼저 고친 글"))
    typed = {**typed_of(RECORD), **form(page), "notes": "나중에 고친 글"}
    late = operator.post(f"{HOME}/edit", data=typed)
    assert late.status_code == 409
    assert "그 사이 이정민 상담원이" in late.text
    assert "나중에 고친 글" in late.text
    again = operator.post(f"{HOME}/edit", data={**typed, "version": hidden(late.text, "version")})
    assert again.status_code == 303
    nonsense = operator.post(f"{HOME}/edit", data={**typed, "version": "x"})
    assert nonsense.status_code == 409


def test_a_record_written_at_the_shell_is_said_to_be_so(
    office: Office, operator: httpx.Client
) -> None:
    """`anbu center home set` names no person; each sentence must be complete without one."""
    write(office, by="")
    english = {"lang": "en"}
    assert "센터의 컴퓨터에서 마지막으로 고쳤습니다." in operator.get(HOME).text
    assert "on the centre&#39;s own computer" in operator.get(HOME, params=english).text
    page = operator.get(f"{HOME}/edit", params={"lang": "ko"}).text
    write(office, replace(RECORD, notes="먼저 고친 글"), by="")
    late = operator.post(f"{HOME}/edit", data={**typed_of(RECORD), **form(page)})
    assert late.status_code == 409
    assert "센터의 컴퓨터에서 이 기록을 고쳤습니다." in late.text


def test_the_call_list_holds_what_waits_the_oldest_home_first(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    office.hear("js-0002", check_in(CheckInResult.MISSED, hub="js-0002"))
    office.ahead_s = 60
    office.hear(HUB, care(Care.LOW_MOOD, score=4))
    office.hear(HUB, care())
    page = operator.get("/calls-today").text
    assert page.index("task-js-0002") < page.index("task-js-0001")
    assert "우울 선별 검사 4점" in page
    assert "010-0000-0101" in page
    assert "전화할 곳 2곳" in operator.get("/").text
    assert "전화번호가 기록에 없습니다." in page
    office.ahead_s = 86_400
    operator.cookies = httpx.Cookies({COOKIE: office.admit("김하늘")})
    assert "어제 이전부터" in operator.get("/calls-today").text


def tasks_form(page: str, result: str = "reached") -> dict[str, str | list[str]]:
    versions = re.findall(r'name="version" value="([^"]*)"', page)
    chosen = [version.partition(":")[0] for version in versions]
    return {"csrf": hidden(page, "csrf"), "version": versions, "need": chosen, "result": result}


def test_one_call_is_for_all_that_waits_at_a_home(office: Office, operator: httpx.Client) -> None:
    write(office)
    office.hear(HUB, care())
    office.hear(HUB, check_in(CheckInResult.MISSED))
    said = tasks_form(operator.get("/calls-today").text, "not_reached")
    said["note"] = "집전화도 받지 않음"
    tried = operator.post(f"/calls-today/{HUB}", data=said)
    assert (tried.status_code, tried.headers["location"]) == (303, "/calls-today")
    page = operator.get("/calls-today").text
    assert page.count("1번 전화했으나 받지 않음") == 2
    assert page.count("집전화도 받지 않음") == 2
    late = operator.post(f"/calls-today/{HUB}", data={**said, "note": "나중 메모"})
    assert late.status_code == 409
    assert "김하늘 상담원이" in late.text
    assert "나중 메모" in late.text
    done = operator.post(f"/calls-today/{HUB}", data={**tasks_form(page), "from": "home"})
    assert (done.status_code, done.headers["location"]) == (303, HOME)
    assert "지금 전화할 곳이 없습니다." in operator.get("/calls-today").text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"result": "fine"}, 422, "전화 결과를 골라 주세요."),
        ({"need": []}, 422, "할 일을 하나 이상 골라 주세요."),
        ({"need": "n-0", "version": "n-0:1"}, 404, "그런 할 일이 없습니다."),
        ({"version": "x"}, 409, "먼저 전화했습니다"),
        ({"note": "가" * 2001}, 422, "메모가 너무 깁니다."),
        ({"csrf": "guess"}, 403, "화면이 오래되어"),
    ],
)
def test_a_call_that_says_nothing_sensible_is_refused(
    office: Office,
    operator: httpx.Client,
    change: dict[str, str | list[str]],
    status: int,
    said: str,
) -> None:
    office.hear(HUB, care())
    answer = operator.post(
        f"/calls-today/{HUB}", data={**tasks_form(operator.get("/calls-today").text), **change}
    )
    assert answer.status_code == status
    assert said in answer.text
    assert len(office.store.read(needs.still_open)) == 1


def test_who_closes_the_alarm_of_a_missed_check_in_ends_its_task(office: Office) -> None:
    office.hear(HUB, check_in(CheckInResult.MISSED))
    office.hear(HUB, care())
    alarm = office.press(HUB, kind=Kind.MISSED_CHECKIN)
    office.take(alarm, "김하늘")
    assert len(office.store.read(needs.still_open)) == 2
    office.close(alarm, "김하늘", Outcome.REASSURED)
    (left,) = office.store.read(needs.still_open)
    assert left.need.kind == "counselling"


def test_the_sheet_says_that_people_call_and_every_look_is_kept(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    page = operator.get(SHEET).text
    assert "119에는 관제센터 상담원이 직접 전화합니다." in page
    assert RECORD.address in page
    assert "119에 제공: <b>동의함</b>" in page
    printed = {"csrf": hidden(operator.get("/").text, "csrf")}
    assert operator.post(f"{SHEET}/printed", data=printed).status_code == 204
    assert operator.post(f"{SHEET}/printed", data={}).status_code == 403
    assert deeds(office)[1:] == [Deed.SHEET_SEEN, Deed.SHEET_PRINTED]


def test_without_consent_the_sheet_opens_in_an_emergency_only_and_it_is_said(
    office: Office, operator: httpx.Client
) -> None:
    write(office, replace(RECORD, consents=(Consent(ConsentItem.SHARE_119),)))
    gate = operator.get(SHEET).text
    assert "119 제공 동의가 없습니다" in gate
    assert RECORD.address not in gate
    assert deeds(office) == [Deed.RECORD_CHANGED]
    sheet = operator.get(f"{SHEET}?emergency=1").text
    assert RECORD.address in sheet
    assert "동의가 없지만 긴급 상황이어서" in sheet
    office.press(HUB)
    assert "도움 버튼" in operator.get(SHEET).text
    assert deeds(office)[1:] == [Deed.SHEET_SEEN_IN_EMERGENCY] * 2


def test_a_test_call_is_no_emergency(office: Office, operator: httpx.Client) -> None:
    write(office, replace(RECORD, consents=()))
    office.press(HUB, kind=Kind.TEST)
    assert RECORD.address not in operator.get(SHEET).text


def test_the_day_of_check_ins_turns_its_leaves(office: Office, operator: httpx.Client) -> None:
    today = times.day_of(office.now())
    yesterday = times.day_of(office.now() - times.DAY_S)
    office.hear(HUB, check_in(CheckInResult.MISSED, f"{today}-0900"))
    office.hear(HUB, check_in(CheckInResult.FINE, f"{yesterday}-0900"))
    page = operator.get("/checkins").text
    assert "09:00 건강 (1번 물음) · 답 없음" in page
    assert f"day={yesterday}" in page
    assert "잘 지냄 · 음성" in operator.get(f"/checkins?day={yesterday}").text
    assert operator.get("/checkins?day=gestern").status_code == 400


def test_what_a_hub_or_a_person_writes_stays_text(office: Office, operator: httpx.Client) -> None:
    evil = "<script>alert(1)</script>\"'"
    write(office, replace(RECORD, name=evil, illnesses=evil, door_code=evil))
    for hour in usual_hours(office.now(), 3):
        office.hear(HUB, replace(hour, places={"pir1": evil}))
    office.press(HUB, place=evil, device=evil)
    office.hear(HUB, care())
    for path in (HOME, f"{HOME}/edit", SHEET, "/calls-today", "/", "/hubs", "/false-alarms"):
        page = operator.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page or path == "/checkins"


def test_the_audit_tells_of_a_home_in_words(office: Office) -> None:
    write(office)
    office.hear(HUB, care())
    with office.visit("이정민") as boss:
        boss.post(f"/calls-today/{HUB}", data=tasks_form(boss.get("/calls-today").text))
        page = boss.get(f"/audit?hub={HUB}").text
        assert "상담 요청 · 통화함" in page
        assert "현관 비밀번호" in page
        assert "동의: 119에 제공" in page
        assert f'href="{HOME}"' in page
        assert page.count("<tr>") == 3


def test_every_page_is_read_anew_when_somebody_needs_a_call(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    for path, also in (("/", ""), ("/calls-today", ""), (HOME, "home"), ("/checkins", "home")):
        found = re.search(r'data-topics="([^"]*)"', operator.get(path).text)
        assert found
        assert {"alarm", "need", also} - {""} <= set(found[1].split()), path
