"""An installer types a hub's digits on a phone, is asked plainly, and sees when the hub has it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.routing import Route

from center.authority import signing
from center.console import routes
from center.domain.incident import Deed, Entry
from center.domain.record import Record
from center.service import enrolment
from center.service.auth import Role
from center.store.rows import accounts, audit, enrolments, records
from tests.center.e2e.office import PASSWORD, Office
from tests.center.est import request, settings

INSTALLER, OPERATOR, SUPERVISOR = "이설치", "김하늘", "박감독"
CLAIM = "/install/claim"
HUB = "js-0417"
INSTALL = {f"/install{part}" for part in ("", "/{hub}", "/{hub}/report", "/{hub}/sheet")}
OPEN = {"/", "/hubs", "/sign-in", "/icon/{count:int}.svg", CLAIM, f"{CLAIM}/{{key}}", *INSTALL}
API = ["/api/alarms", "/api/hubs", "/api/audit", "/api/feed", "/api/needs", f"/api/homes/{HUB}"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=settings(tmp_path)) as office:
        office.hire(OPERATOR)
        office.hire(SUPERVISOR, Role.SUPERVISOR)
        office.hire(INSTALLER, Role.INSTALLER)
        yield office


def at(office: Office, name: str) -> httpx.Client:
    return office.visit(name)


@pytest.fixture
def phone(office: Office) -> Iterator[httpx.Client]:
    with at(office, INSTALLER) as phone:
        yield phone


def asked(office: Office, address: str = "127.0.0.1") -> tuple[bytes, str]:
    """Let a new hub ask; return its request and its digits."""
    body = request(ec.generate_private_key(ec.SECP256R1()))
    found = office.act(enrolment.ask(office.desk, body, address))
    return body, found.digits


def typed(phone: httpx.Client, digits: str, **more: str) -> httpx.Response:
    """Send the form."""
    csrf = re.search(r'name="csrf" value="([^"]*)"', phone.get(CLAIM).text)
    assert csrf
    form = {"csrf": csrf[1], "digits": digits, "hub": HUB, "kind": "new", **more}
    return phone.post(CLAIM, data=form)


def home(office: Office, hub: str = HUB, name: str = "한가온") -> None:
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0)
    office.store.submit(lambda conn: records.put(conn, hub, Record(name=name), change)).result()


def refused(office: Office) -> list[tuple[str, str]]:
    lines = [one.entry for one in office.store.read(audit.search)]
    return [(e.by, e.text.split()[0]) for e in lines if e.deed is Deed.CLAIM_REFUSED]


# --- the way of an installer --------------------------------------------------------------------


def test_an_installer_types_digits_and_sees_when_the_hub_has_its_certificate(
    office: Office, phone: httpx.Client
) -> None:
    home(office)
    body, digits = asked(office)
    page = phone.get(CLAIM).text
    assert 'inputmode="numeric"' in page
    assert f'<option value="{HUB}">한가온</option>' in page
    question = typed(phone, f"{digits[:4]} {digits[4:]}", kind="known", hub=HUB.upper())
    assert question.status_code == 200
    assert "이 집에 등록할까요?" in question.text
    assert "한가온" in question.text
    assert "같은 인터넷에서" in question.text
    assert 'name="replaces"' not in question.text
    done = typed(phone, digits, kind="known", do="claim")
    assert done.status_code == 303
    followed = phone.get(done.headers["location"]).text
    assert 'id="waits"' in followed
    issued = office.act(enrolment.ask(office.desk, body, "127.0.0.1"))
    assert signing.shown(issued.der).hub == HUB
    followed = phone.get(done.headers["location"]).text
    assert 'id="fetched"' in followed
    assert f"등록한 사람: {INSTALLER}" in followed
    assert typed(phone, digits, do="claim").status_code == 404, "digits are used once"


def test_who_replaces_a_hub_is_asked_plainly_first(office: Office, phone: httpx.Client) -> None:
    home(office)
    office.greet(HUB)
    _, digits = asked(office, "203.0.113.9")
    question = typed(phone, digits, kind="known").text
    assert "이 집의 허브를 바꿀까요?" in question
    assert "더 이상 연결되지 않습니다" in question
    assert 'name="replaces" value="yes"' in question
    assert "인터넷 주소가 다릅니다" in question
    assert "203.0.113.9" in question
    unasked = typed(phone, digits, kind="known", do="claim")
    assert unasked.status_code == 409, "nobody replaces a hub without having said so"
    assert typed(phone, digits, kind="known", do="claim", replaces="yes").status_code == 303


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"digits": "1234"}, 400, "여덟 자리"),
        ({"digits": "".join(chr(0xFF10 + n) for n in range(1, 9))}, 400, "여덟 자리"),
        ({"hub": "Js 0001"}, 400, "집 번호를 읽을 수 없습니다"),
        ({"hub": "center"}, 400, "집 번호를 읽을 수 없습니다"),
        ({"hub": "+/#"}, 400, "집 번호를 읽을 수 없습니다"),
        ({"kind": "known"}, 404, "센터가 모르는 집"),
        ({"kind": ""}, 422, "골라 주세요"),
        ({"hub": "js-0001", "kind": "new"}, 409, "이미 허브가 있는 집"),
    ],
)
def test_a_mistake_is_told_with_what_to_do_and_nothing_typed_is_lost(
    office: Office, phone: httpx.Client, form: dict[str, str], status: int, words: str
) -> None:
    office.greet("js-0001")
    _, digits = asked(office)
    answer = typed(phone, **{"digits": digits, **form})
    assert answer.status_code == status
    assert words in answer.text
    assert f'value="{form.get("hub", HUB).lower()}"' in answer.text.replace("&#43;", "+")


def test_the_page_is_korean_first_and_english_at_the_switch(
    office: Office, phone: httpx.Client
) -> None:
    assert office.url
    assert "허브 등록" in phone.get(CLAIM).text
    assert "Register a hub" in phone.get(f"{CLAIM}?lang=en").text
    assert "Register a hub" in phone.get(CLAIM).text, "it is remembered"


# --- who may see what ---------------------------------------------------------------------------


def test_an_installer_sees_no_page_but_those_of_installation(
    office: Office, phone: httpx.Client
) -> None:
    office.press(HUB, place="안방침대")
    paths = [one.path for one in routes.routes(office.desk) if isinstance(one, Route)]
    assert len(set(paths) - OPEN) > 20
    for path in set(paths) - OPEN:
        shown = phone.get(re.sub(r"{[^}]*}", HUB, path))
        assert shown.status_code in {403, 405}, (path, shown.text[:200])
        assert "안방침대" not in shown.text


@pytest.mark.parametrize("path", API)
def test_an_installer_gets_nothing_from_the_api_of_operators(
    office: Office, phone: httpx.Client, path: str
) -> None:
    office.press(HUB)
    answer = phone.get(path)
    assert answer.status_code == 403
    assert answer.json()["error"] == "not_allowed"


def test_an_installer_cannot_act_on_a_call(office: Office, phone: httpx.Client) -> None:
    alarm = office.press(HUB)
    csrf = re.search(r'name="csrf" value="([^"]*)"', phone.get(CLAIM).text)
    assert csrf
    form = {"csrf": csrf[1]}
    for path in (f"/incidents/{alarm}/take", f"/homes/{HUB}/pairing", "/announcements/write"):
        assert phone.post(path, data=form).status_code in {403, 404, 405}, path
    headers = {"x-csrf-token": csrf[1]}
    assert phone.post(f"/api/alarms/{alarm}/take", headers=headers).status_code == 403


def test_an_installer_signs_in_and_comes_to_the_page_and_out_again(office: Office) -> None:
    with office.visit(follow_redirects=True) as phone:
        csrf = re.search(r'name="csrf" value="([^"]*)"', phone.get("/sign-in").text)
        assert csrf
        form = {"csrf": csrf[1], "name": INSTALLER, "password": PASSWORD}
        page = phone.post("/sign-in", data=form)
        assert page.url.path == "/install"
        assert phone.get("/hubs").url.path == "/install"
        assert "설치 기사" in page.text
        csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
        assert csrf
        assert phone.post("/sign-out", data={"csrf": csrf[1]}).url.path == "/sign-in"
        assert phone.get(CLAIM).url.path == "/sign-in"


def test_an_earlier_program_takes_no_installer_for_an_operator(office: Office) -> None:
    assert all(role != "installer" for _, role, _ in office.store.read(earlier_operators))
    assert (INSTALLER, "installer") in [o[:2] for o in office.store.read(accounts.operators)]
    office.hire(INSTALLER)
    assert (INSTALLER, "operator") in [o[:2] for o in office.store.read(accounts.operators)]
    gone = accounts.remove_operator
    assert office.store.submit(lambda conn: gone(conn, office.now(), INSTALLER)).result()
    assert not office.store.submit(lambda conn: gone(conn, office.now(), INSTALLER)).result()


def earlier_operators(conn: object) -> list[tuple[str, str, str]]:
    """Read what the program before this one reads."""
    from sqlalchemy import text  # noqa: PLC0415

    rows = conn.execute(text("SELECT name, role, password_hash FROM operators"))  # type: ignore[attr-defined]
    return [tuple(row) for row in rows]


def test_a_claim_without_its_csrf_token_is_refused(office: Office, phone: httpx.Client) -> None:
    _, digits = asked(office)
    form = {"digits": digits, "hub": HUB, "kind": "new", "do": "claim"}
    assert phone.post(CLAIM, data=form).status_code == 403
    assert office.store.read(enrolments.waiting, office.now()) == 1


# --- guesses ------------------------------------------------------------------------------------


def test_who_guesses_has_to_wait_and_the_supervisor_sees_it(
    office: Office, phone: httpx.Client
) -> None:
    asked(office)
    answers = [typed(phone, f"{n:08}") for n in range(8)]
    assert [one.status_code for one in answers] == [404] * 5 + [429] * 3
    assert "초 뒤에 다시" in answers[-1].text
    assert refused(office)[0] == (INSTALLER, "too_many_tries")
    with at(office, SUPERVISOR) as supervisor:
        page = supervisor.get(CLAIM).text
    assert page.count(INSTALLER) >= 6
    assert "너무 여러 번 틀려 막힘" in page
    assert "틀린 숫자" not in phone.get(CLAIM).text, "an installer does not see others' tries"


def test_ten_thousand_guesses_find_nothing(office: Office) -> None:
    """Six installers at six addresses guess for hours; each try that counts is in the audit."""
    waiting = {asked(office, f"198.51.100.{n}")[1] for n in range(20)}
    guesses = iter(n for n in range(10_000_000) if f"{n:08}" not in waiting)
    done, locked = 0, 0

    async def guess(person: int) -> bool:
        who = enrolment.Who(f"설치 {person}", f"192.0.2.{person}")
        wish = enrolment.Wish(f"{next(guesses):08}", f"js-{person:04}")
        try:
            await enrolment.claim(office.desk, who, wish)
        except enrolment.NotClaimedError as error:
            return error.why == "too_many_tries"
        raise AssertionError(wish)

    async def many(count: int) -> int:
        return sum([await guess(n % 6) for n in range(count)])

    for _ in range(100):
        locked += office.act(many(100))
        done += 100
        office.ahead_s += 36.0
    assert done == 10_000
    tried = done - locked
    assert tried < 400, "within an hour; 10^8 digits, 20 of them right: one in 12,500 hours"
    told = [why for _, why in refused_all(office)]
    assert told.count("no_such_digits") == tried
    assert 0 < told.count("too_many_tries") < 60, "a lock is told, not each try in it"


def refused_all(office: Office) -> list[tuple[str, str]]:
    lines = [one.entry for one in office.store.read(audit.search, audit.ALL, 20_000)]
    return [(e.by, e.text.split()[0]) for e in lines if e.deed is Deed.CLAIM_REFUSED]


def test_wrong_digits_of_many_for_one_home_lock_that_home_for_a_while(office: Office) -> None:
    async def guess(n: int) -> str:
        who = enrolment.Who(f"설치 {n}", f"192.0.2.{n}")
        try:
            await enrolment.claim(office.desk, who, enrolment.Wish(f"{n:08}", HUB))
        except enrolment.NotClaimedError as error:
            return error.why.value
        return ""

    found = [office.act(guess(n)) for n in range(12)]
    assert found == ["no_such_digits"] * 10 + ["too_many_tries"] * 2
    office.ahead_s = 3700.0
    assert office.act(guess(99)) == "no_such_digits", "and it is forgotten after an hour"
