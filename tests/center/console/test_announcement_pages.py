"""Announcements at the console and by the API, over plain HTTP: written, looked at, sent once."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import jsonschema
import pytest

from center.api import openapi
from center.domain import times
from center.domain.announcement import Fate, plain
from center.domain.incident import Deed, Entry
from center.service.auth import Role
from center.service.texts import texts
from center.store.rows import announcements, audit, records
from hub.contract.messages import AnnouncementOutcome, Availability, FaultKind, Reply
from hub.contract.wire import Reason, timestamp
from hub.shared.language import Language
from tests.center.counter import Counter, at_counter
from tests.center.e2e.office import Office
from tests.center.lives import RECORD, word
from tests.center.making import HUB, NOW, hear, state

OTHER = "js-0002"
TEXT = "오늘 다섯 시까지 폭염 특보입니다."


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        office.hire("이정민", Role.SUPERVISOR)
        office.greet(HUB)
        office.greet(OTHER)
        change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by="이정민")
        office.store.submit(lambda conn: records.put(conn, HUB, RECORD, change)).result()
        yield office


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    with office.visit("김하늘") as operator:
        yield operator


def fields(page: str) -> dict[str, str]:
    """Read the hidden fields of a page's own form, which is the last one."""
    form = page[page.rindex('<form method="post"') : page.rindex("</form>")]
    found = re.findall(r'type="hidden" name="([a-z]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


def written(operator: httpx.Client, **said: str) -> httpx.Response:
    """Fill the form in, and open the page that shows it before it is sent."""
    page = operator.get("/announcements/new").text
    until = re.findall(r'name="until" type="datetime-local" value="([^"]+)"', page)[0]
    form = {**fields(page), "text": TEXT, "whom": "all", "until": until, **said}
    return operator.post("/announcements/check", data=form)


def send(operator: httpx.Client, **said: str) -> str:
    """Write, check and send an announcement; return the address of its page."""
    sent = operator.post("/announcements", data=fields(written(operator, **said).text))
    assert sent.status_code == 303
    return sent.headers["location"]


def ident(path: str) -> str:
    return path.rpartition("/")[2]


def test_an_operator_sees_to_how_many_before_it_goes(
    office: Office, operator: httpx.Client
) -> None:
    office.greet(OTHER, Availability.LOST)
    office.fault(HUB, FaultKind.NO_LOUDSPEAKER, "voice")
    page = written(operator)
    assert page.status_code == 200
    assert "2곳에 보냅니다" in page.text
    assert TEXT in page.text
    assert "연결되지 않은 허브가 1대" in page.text
    assert "스피커 이상이 있는 가정이 1곳" in page.text
    assert RECORD.name in page.text
    assert office.orders == []
    path = ident(operator.post("/announcements", data=fields(page.text)).headers["location"])
    assert {(hub, order.id, order.text) for hub, order in office.orders} == {
        (HUB, path, TEXT),
        (OTHER, path, TEXT),
    }


def test_each_homes_result_stands_on_the_page(office: Office, operator: httpx.Client) -> None:
    path = send(operator)
    page = operator.get(path).text
    assert "허브를 기다림 <b>2</b>" in page
    assert "1번 보냄" in page
    office.hear(HUB, Reply(ident(path), done=True))
    office.hear(OTHER, Reply(ident(path), done=False, reason=Reason.EXPIRED))
    page = operator.get(path).text
    assert "허브가 받음 <b>1</b>" in page
    assert "허브의 시계가 틀릴 수 있음" in page
    office.hear(HUB, word(ident(path), at=office.now()))
    office.hear(OTHER, word(ident(path), AnnouncementOutcome.UNSPOKEN, OTHER, office.now()))
    for page in (operator.get(path).text, operator.get("/announcements").text):
        assert "말함 <b>1</b>" in page
        assert "말하지 못함 <b>1</b>" in page
    rows_of = re.findall(r'<tr data-key="to-([^"]+)"', operator.get(path).text)
    assert rows_of == [OTHER, HUB]  # what an operator should look at comes first


def test_a_hub_that_took_it_and_fell_silent_is_told(office: Office, operator: httpx.Client) -> None:
    path = send(operator)
    office.hear(HUB, Reply(ident(path), done=True))
    assert "말했다는 소식 없음" not in operator.get(path).text
    office.ahead_s = 25 * 3600
    with office.visit("김하늘") as later:
        assert "말했다는 소식 없음" in later.get(path).text


def test_sending_twice_by_mistake_sends_once(office: Office, operator: httpx.Client) -> None:
    form = fields(written(operator).text)
    first, second = (operator.post("/announcements", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(office.orders) == 2
    again = written(operator)
    assert "조금 전에 같은 말을" in again.text
    form = fields(again.text)
    refused = operator.post("/announcements", data=form)
    assert refused.status_code == 409
    assert len(office.orders) == 2
    assert operator.post("/announcements", data={**form, "again": "yes"}).status_code == 303
    assert len(office.orders) == 4


def test_a_home_that_came_meanwhile_is_not_spoken_to_unseen(
    office: Office, operator: httpx.Client
) -> None:
    form = fields(written(operator).text)
    office.greet("js-0003")
    refused = operator.post("/announcements", data=form)
    assert refused.status_code == 409
    assert "받을 가정이 바뀌었습니다" in refused.text
    assert "3곳에 보냅니다" in refused.text
    assert operator.post("/announcements", data=fields(refused.text)).status_code == 303


def test_only_homes_of_a_place_are_spoken_to(office: Office, operator: httpx.Client) -> None:
    path = send(operator, whom="place", place="물결길")
    assert [hub for hub, _ in office.orders] == [HUB]
    page = operator.get(path).text
    assert texts(Language.KOREAN)("announce.place_said", place="물결길") in page


@pytest.mark.parametrize(
    ("said", "sentence", "field"),
    [
        ({"text": " "}, "할 말을 적어 주세요.", "text"),
        ({"text": "가" * 301}, "300자까지", "text"),
        ({"text": "오늘 ○○○까지 덥습니다"}, "알맞은 말로", "text"),
        ({"until": "내일"}, "언제까지 말할지", "until"),
        ({"until": "2020-01-01T00:00"}, "지금보다 뒤", "until"),
        ({"until": "2099-01-01T00:00"}, "14일 안", "until"),
        ({"whom": "place", "place": "없는 길"}, "맞는 가정이 없습니다.", "place"),
        ({"whom": "nobody knows", "text": ""}, "할 말을 적어 주세요.", "text"),
        ({"place": "물결길"}, "받을 곳이 분명하지 않습니다.", "place"),
        ({"key": ""}, "화면이 오래되었습니다.", "text"),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_is_kept(
    office: Office, operator: httpx.Client, said: dict[str, str], sentence: str, field: str
) -> None:
    refused = written(operator, **said)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert html.escape(plain(said.get("place", "") or said.get("text", TEXT))) in refused.text
    wrong = re.findall(r'id="(\w+)"[^>]*aria-invalid="true"', refused.text)
    assert wrong == [field]
    assert re.search('name="key" value="[^"]{10}', refused.text)
    assert not office.store.read(announcements.newest, 9)


def test_what_was_looked_at_can_be_changed(operator: httpx.Client) -> None:
    form = fields(written(operator, urgent="yes", text="첫째\n둘째").text)
    page = operator.post("/announcements/new", data=form)
    assert page.status_code == 200
    assert "첫째" in page.text
    assert re.search(r'name="urgent" value="yes" checked', page.text)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_page_opens_in_both_languages_and_homes_hear_korean(
    operator: httpx.Client, lang: str
) -> None:
    operator.get(f"/announcements?lang={lang}")
    assert operator.get("/announcements").status_code == 200
    page = operator.get("/announcements/new?text=heat").text
    assert "오늘 ○○○까지 폭염 특보입니다." in page
    assert ("a heat warning today" in page) is (lang == "en")
    urgent = written(operator, urgent="yes").text
    assert ("Urgent" in urgent) is (lang == "en")
    path = send(operator, urgent="yes")
    for shown in ("/announcements", path, f"/homes/{HUB}"):
        page = operator.get(shown).text
        assert TEXT in page
        assert "{" not in re.sub(r'data-ago_\w="[^"]*"', "", page)


def test_a_home_shows_its_voice_and_what_it_was_told(
    office: Office, operator: httpx.Client
) -> None:
    home = f"/homes/{HUB}"
    assert "음성 장치 소식 없음" in operator.get(home).text
    page = operator.get(f"/announcements/new?hub={HUB}").text
    assert RECORD.name in page
    form = {**fields(page), "text": TEXT, "whom": "home"}
    form["until"] = times.for_field(office.now() + 7200)
    check = operator.post("/announcements/check", data=form).text
    assert "1곳에 보냅니다" in check
    sent = ident(operator.post("/announcements", data=fields(check)).headers["location"])
    assert [hub for hub, _ in office.orders] == [HUB]
    office.hear(HUB, word(sent, at=office.now()))
    page = operator.get(home).text
    assert "음성 장치 있음" in page
    assert "안내 방송을 말함" in page
    office.fault(HUB, FaultKind.MUTED, "voice")
    assert "마이크를 꺼 두심" in operator.get(home).text
    office.fault(HUB, FaultKind.NO_SPEECH, "voice")
    for path in (home, "/hubs"):
        assert "말을 알아듣지 못함" in operator.get(path).text
    assert "음성 장치 이상" in operator.get(home).text
    office.greet(HUB)  # its own list has no fault
    page = operator.get(home).text
    assert "음성 장치 있음" in page
    assert "말을 알아듣지 못함" in page  # as one that is over
    assert TEXT not in operator.get(f"/homes/{OTHER}").text


def test_it_is_withdrawn_from_who_has_not_taken_it(office: Office, operator: httpx.Client) -> None:
    path = send(operator)
    office.hear(HUB, Reply(ident(path), done=True))
    page = operator.get(path).text
    assert "아직 받지 않은 1곳에서 거둬들이기" in page
    assert operator.post(f"{path}/withdraw", data=fields(page)).status_code == 303
    page = operator.get(path).text
    assert "거둬들임 <b>1</b>" in page
    assert "withdraw" not in page
    lines = [line.entry for line in office.store.read(audit.search)]
    assert [(one.deed, one.by) for one in lines[:2]] == [
        (Deed.WITHDRAWN, "김하늘"),
        (Deed.ANNOUNCED, "김하늘"),
    ]
    csrf = {"csrf": re.findall('name="csrf" value="([^"]+)"', page)[0]}
    assert operator.post("/announcements/a-0/withdraw", data=csrf).status_code == 404
    assert operator.get("/announcements/a-0").status_code == 404
    assert operator.get("/announcements/new?hub=js-0099").status_code == 404


def test_the_audit_says_who_announced_but_not_what(office: Office, operator: httpx.Client) -> None:
    path = send(operator)
    with office.visit("이정민") as boss:
        audit = boss.get("/audit").text
    assert "안내 방송을 보냄" in audit
    assert f"{ident(path)} · 2곳" in audit
    assert TEXT not in audit


def test_a_stranger_or_a_forged_form_announces_nothing(
    office: Office, operator: httpx.Client
) -> None:
    form = fields(written(operator).text)
    with office.visit() as stranger:
        for path in ("/announcements", "/announcements/check", "/announcements/new"):
            assert stranger.post(path, data=form).headers["location"] == "/sign-in"
            assert stranger.get(path).status_code in {303, 405}
    assert operator.post("/announcements", data={**form, "csrf": "x"}).status_code == 403
    assert not office.store.read(announcements.newest, 9)


def test_what_is_typed_stays_text(operator: httpx.Client) -> None:
    path = send(operator, text='<b>폭염</b> & "특보"')
    for shown in (path, "/announcements", f"/homes/{HUB}"):
        assert "&lt;b&gt;폭염&lt;/b&gt; &amp;" in operator.get(shown).text


def test_a_program_announces_by_the_api_and_reads_what_became_of_it(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        for hub in (HUB, OTHER):
            hear(counter.store, state(), hub=hub, utc=NOW)
        body = {"text": TEXT, "key": "county-1", "urgent": True}
        made = (await counter.post("/api/announcements", body)).json()
        assert (made["homes"], made["whom"], made["by"]) == (2, "all", "token:bench")
        assert made["until"] == timestamp(NOW + 86_400)
        assert (await counter.post("/api/announcements", body)).json()["id"] == made["id"]
        assert [(hub, order.urgent) for hub, order in counter.link.orders] == [
            (HUB, True),
            (OTHER, True),
        ]
        hear(counter.store, Reply(made["id"], done=True), utc=NOW + 1)
        hear(counter.store, word(made["id"], at=NOW + 9), utc=NOW + 10)
        path = f"/api/announcements/{made['id']}"
        taken = (await counter.post(f"{path}/withdraw")).json()
        shown = (await counter.get(path)).json()
        assert taken == shown
        assert [(one["hub"], one["fate"], one["over"]) for one in shown["deliveries"]] == [
            (HUB, "spoken", timestamp(NOW + 9)),
            (OTHER, "withdrawn", timestamp(NOW)),
        ]
        (listed,) = (await counter.get("/api/announcements")).json()["announcements"]
        assert (listed["counts"]["spoken"], listed["counts"]["waiting"]) == (1, 0)
        assert listed["deliveries"] is None
        document = openapi.document()
        name = {"$ref": "#/components/schemas/AnnouncementOut"}
        jsonschema.validate(shown, {**name, "components": document["components"]})
        metrics = (await counter.get("/metrics")).text
        assert 'anbu_announcements{fate="spoken"} 1' in metrics
        assert 'anbu_announcements{fate="refused"} 0' in metrics
        assert metrics.count("anbu_announcements{") == len(Fate)

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"text": TEXT}, 400, "bad_request"),
        ({"text": TEXT, "key": "k", "colour": 1}, 400, "bad_request"),
        ({"text": "", "key": "k"}, 400, "empty"),
        ({"text": TEXT, "key": "k" * 65}, 400, "no_key"),
        ({"text": TEXT, "key": "k", "until": "soon"}, 400, "no_time"),
        ({"text": TEXT, "key": "k", "hubs": ["js-0099"]}, 400, "no_homes"),
        ({"text": TEXT, "key": "k", "hubs": [HUB]}, 409, "twice"),
    ],
)
def test_the_api_says_in_a_sentence_why_it_was_not_sent(
    tmp_path: Path, body: object, status: int, error: str
) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        await counter.post("/api/announcements", {"text": TEXT, "key": "0", "hubs": [HUB]})
        for lang in ("ko", "en"):
            headers = {"accept-language": lang}
            answer = await counter.post("/api/announcements", body, **headers)
            assert (answer.status_code, answer.json()["error"]) == (status, error)
            assert answer.json()["message"].endswith(".")
        assert len(counter.link.orders) == 1
        for path in ("/api/announcements/a-0", "/api/announcements/a-0/withdraw"):
            method = counter.post if path.endswith("withdraw") else counter.get
            assert (await method(path)).status_code == 404

    at_counter(tmp_path, story)
