"""Signing in: passwords, sessions, CSRF, roles, tokens, and limits for those who guess."""

import asyncio
import threading
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import given
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from center.config import Center
from center.domain.incident import Deed
from center.service import auth
from center.service.auth import (
    COOKIE,
    DEVICE_S,
    STRANGERS_MAX,
    Denied,
    DeniedError,
    Failures,
    Role,
    csrf_of,
    device_cookie,
    digest,
    verify,
)
from center.store import tables
from center.store.rows import accounts, audit
from tests.center.counter import HASHED, PASSWORD, TOKEN, Counter, at_counter
from tests.center.making import NAMES, NOW, event, hear

OPERATOR, SUPERVISOR = NAMES
HERE = "192.0.2.7"
HASHED_AGAIN = auth.hash_password(PASSWORD)  # with another salt


async def sign_in(counter: Counter, name: str = OPERATOR) -> httpx.AsyncClient:
    browser = counter.browser()
    secret = await counter.desk.auth.sign_in(name, PASSWORD, HERE)
    browser.cookies.set(COOKIE, secret)
    return browser


def cookie_of(browser: httpx.AsyncClient) -> tuple[bytes, bytes]:
    return b"cookie", f"{COOKIE}={browser.cookies[COOKIE]}".encode()


async def refused(counter: Counter, name: str, password: str, address: str = HERE) -> DeniedError:
    with pytest.raises(DeniedError) as caught:
        await counter.desk.auth.sign_in(name, password, address)
    return caught.value


def test_a_session_acts_only_with_its_csrf_token(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        browser = await sign_in(counter)
        take = "/api/alarms/b1-1/take"
        assert (await browser.get("/api/alarms")).status_code == 200
        for headers in ({}, {"x-csrf-token": "guess"}, {"x-csrf-token": "0" * 64}):
            answer = await browser.post(take, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "no_csrf")
        right = {"x-csrf-token": csrf_of(str(browser.cookies[COOKIE]))}
        answer = await browser.post(take, headers=right)
        assert (answer.status_code, answer.json()["who"]) == (200, OPERATOR)

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer anbu_wrong"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"{COOKIE}=wrong"},
        {"cookie": f"{COOKIE}="},
        {"authorization": "Bearer \xff"},
    ],
)
def test_a_stranger_sees_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async def story(counter: Counter) -> None:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        for path in ("/api/alarms", "/api/alarms/x", "/api/hubs", "/api/feed", "/api/audit"):
            answer = await counter.client.get(path, headers=raw)
            assert (answer.status_code, answer.json()["error"]) == (401, "not_signed_in")
        answer = await counter.client.post("/api/alarms/x/take", headers=raw)
        assert answer.status_code == 401

    at_counter(tmp_path, story)


def test_only_a_supervisor_reads_the_audit(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        operator, supervisor = [await sign_in(counter, name) for name in NAMES]
        assert (await operator.get("/api/audit")).json()["error"] == "not_allowed"
        lines = (await supervisor.get("/api/audit?limit=1")).json()
        assert [line["event"]["deed"] for line in lines["lines"]] == ["signed_in"]
        assert lines["next"] == lines["lines"][0]["seq"]

    at_counter(tmp_path, story)


def test_a_session_ends_by_time_by_sign_out_and_by_a_new_password(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        browser, other, third = [await sign_in(counter, name) for name in (*NAMES, OPERATOR)]
        request = Request({"type": "http", "headers": [cookie_of(third)]})
        await counter.desk.auth.sign_out(request)
        assert (await third.get("/api/alarms")).status_code == 401
        put = partial(accounts.put_operator, hashed=HASHED)
        await counter.store.change(put, NOW, SUPERVISOR, Role.SUPERVISOR.value)
        assert (await other.get("/api/alarms")).status_code == 401
        counter.now = NOW + 3599
        assert (await browser.get("/api/alarms")).status_code == 200
        counter.now = NOW + 3601
        assert (await browser.get("/api/alarms")).status_code == 401

    at_counter(tmp_path, story, Center(session_s=3600))


def test_the_cookie_is_for_this_site_only_and_for_no_script(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        response = Response()
        counter.desk.auth.set_cookie(response, "secret")
        cookie = response.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=strict", "Secure", "Max-Age=43200"):
            assert part in cookie

    at_counter(tmp_path, story, Center(behind_tls=True))


def test_who_guesses_has_to_wait_longer_and_longer(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        for _ in range(auth.FREE):
            assert (await refused(counter, OPERATOR, "wrong")).why is Denied.WRONG_PASSWORD
        held = await refused(counter, OPERATOR, PASSWORD)
        assert (held.why, held.wait_s) == (Denied.TOO_MANY_TRIES, 2.0)
        assert await counter.desk.auth.sign_in(SUPERVISOR, PASSWORD, HERE), "another's account"
        counter.now += 2.0
        assert await counter.desk.auth.sign_in(OPERATOR, PASSWORD, HERE)
        assert (await refused(counter, OPERATOR, "wrong")).why is Denied.WRONG_PASSWORD
        deeds = [line.entry.deed for line in counter.store.read(audit.search)]
        assert deeds.count(Deed.SIGN_IN_FAILED) == auth.FREE + 1

    at_counter(tmp_path, story)


def test_a_stranger_who_guesses_for_days_locks_nobody_out(tmp_path: Path) -> None:
    """The operator's right password is always checked when it comes from her own address."""

    async def story(counter: Counter) -> None:
        tried = 0
        for _ in range(60):
            counter.now += 60.0
            try:
                await counter.desk.auth.sign_in(OPERATOR, f"guess {tried}", "203.0.113.9")
            except DeniedError as error:
                tried += error.why is Denied.WRONG_PASSWORD
        assert 10 < tried < 30, "the stranger is slowed down"
        assert (await refused(counter, OPERATOR, PASSWORD, "203.0.113.9")).why is (
            Denied.TOO_MANY_TRIES
        )
        assert await counter.desk.auth.sign_in(OPERATOR, PASSWORD, HERE)

    at_counter(tmp_path, story)


def test_an_address_that_tries_many_names_is_slowed_down(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        for n in range(auth.FREE_OF_ADDRESS):
            assert (await refused(counter, f"name {n}", "x")).why is Denied.WRONG_PASSWORD
        assert (await refused(counter, "another", "x")).why is Denied.TOO_MANY_TRIES
        assert (await refused(counter, "another", "x", "192.0.2.8")).why is Denied.WRONG_PASSWORD

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("", "", True),
        ("not an address", "another", False),
    ],
)
def test_one_subscriber_is_one_address(one: str, other: str, *, same: bool) -> None:
    assert (auth.network(one) == auth.network(other)) is same


async def device(counter: Counter, name: str = OPERATOR) -> dict[str, str]:
    """Return the cookies of a device from which `name` has signed in."""
    response = Response()
    await counter.desk.auth.know_device(response, name)
    cookie: SimpleCookie = SimpleCookie(response.headers["set-cookie"])
    assert {morsel["path"] for morsel in cookie.values()} == {"/sign-in"}
    return {key: morsel.value for key, morsel in cookie.items()}


def test_a_known_device_passes_whatever_strangers_guess_at_its_address(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        known = await device(counter)
        for _ in range(auth.FREE):
            await refused(counter, OPERATOR, "wrong")
        held = await refused(counter, OPERATOR, PASSWORD)
        assert held.why is Denied.TOO_MANY_TRIES
        assert await counter.desk.auth.sign_in(OPERATOR, PASSWORD, HERE, known)
        held = await refused(counter, OPERATOR, PASSWORD)
        assert held.why is Denied.TOO_MANY_TRIES, "the stranger's wait is not over by that"

    at_counter(tmp_path, story)


def test_a_known_device_that_guesses_has_to_wait_too(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        known = await device(counter)
        sign_in = counter.desk.auth.sign_in
        for _ in range(auth.FREE):
            with pytest.raises(DeniedError):
                await sign_in(OPERATOR, "wrong", HERE, known)
        with pytest.raises(DeniedError) as caught:
            await sign_in(OPERATOR, PASSWORD, "192.0.2.9", known)
        assert caught.value.why is Denied.TOO_MANY_TRIES
        assert await sign_in(OPERATOR, PASSWORD, "192.0.2.9")

    at_counter(tmp_path, story)


@pytest.mark.parametrize("flaw", ["forged", "of another", "too old", "new password", "nonsense"])
def test_a_device_is_known_by_its_seal_alone(tmp_path: Path, flaw: str) -> None:
    async def story(counter: Counter) -> None:
        known = await device(counter, SUPERVISOR if flaw == "of another" else OPERATOR)
        name, value = device_cookie(OPERATOR), next(iter(known.values()))
        mark, until, seal = value.split(".")
        match flaw:
            case "forged":
                value = f"{mark}.{int(until) + 1}.{seal}"
            case "too old":
                counter.now += DEVICE_S + 1
            case "new password":
                put = partial(accounts.put_operator, hashed=HASHED_AGAIN)
                await counter.store.change(put, NOW, OPERATOR, Role.OPERATOR.value)
            case "nonsense":
                value = "a.\u0663.b"
            case _:
                pass
        for _ in range(auth.FREE):
            await refused(counter, OPERATOR, "wrong")
        with pytest.raises(DeniedError) as caught:
            await counter.desk.auth.sign_in(OPERATOR, PASSWORD, HERE, {name: value})
        assert caught.value.why is Denied.TOO_MANY_TRIES

    at_counter(tmp_path, story)


def test_a_crowd_of_strangers_delays_no_known_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guesses come from so many addresses that none reaches its own limit."""

    async def story(counter: Counter) -> None:
        gate, held = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slowly(hashed: str, password: str) -> bool:
            if password == "guess":  # noqa: S105 - nobody's
                loop.call_soon_threadsafe(gate.set)
                held.wait(30)
            return verify(hashed, password)

        monkeypatch.setattr("center.service.auth.verify", slowly)
        known = await device(counter)
        sign_in = counter.desk.auth.sign_in
        crowd = [
            asyncio.create_task(sign_in(OPERATOR, "guess", f"198.51.100.{n}"))
            for n in range(STRANGERS_MAX)
        ]
        await gate.wait()
        async with asyncio.timeout(10):
            assert await sign_in(OPERATOR, PASSWORD, HERE, known)
        with pytest.raises(DeniedError) as caught:
            await sign_in(OPERATOR, "one more", "198.51.100.250")
        assert caught.value.why is Denied.TOO_MANY_TRIES
        held.set()
        found = await asyncio.gather(*crowd, return_exceptions=True)
        assert {type(one) for one in found} == {DeniedError}

    at_counter(tmp_path, story)


def test_an_unknown_name_waits_like_a_known_one(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        told = []
        for name in (OPERATOR, "nobody"):
            tries = [await refused(counter, name, "wrong") for _ in range(auth.FREE + 1)]
            told.append([(one.why, one.wait_s, one.status) for one in tries])
        assert told[0] == told[1]

    at_counter(tmp_path, story)


def test_an_unknown_name_is_refused_like_a_wrong_password(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        assert (await refused(counter, "nobody", PASSWORD)).why is Denied.WRONG_PASSWORD
        assert (await refused(counter, "\ud800" * 9, "\ud800")).why is Denied.WRONG_PASSWORD

    at_counter(tmp_path, story)


def test_the_database_holds_no_secret(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        browser = await sign_in(counter)
        secret = str(browser.cookies[COOKIE])
        held = counter.store.read(
            lambda conn: str(
                [
                    conn.execute(select(t)).all()
                    for t in (tables.operators, tables.sessions, tables.tokens)
                ]
            )
        )
        assert digest(secret) in held
        assert "$argon2id$" in held
        for unsaid in (secret, TOKEN, PASSWORD):
            assert unsaid not in held

    at_counter(tmp_path, story)


def test_a_role_that_only_a_newer_program_knows_has_the_rights_of_an_operator() -> None:
    unknown = Role.of("from-the-future")
    assert [unknown.may(role) for role in Role] == [True, False, True]
    assert [Role.INSTALLER.may(role) for role in Role] == [False, False, True]
    assert all(Role.SUPERVISOR.may(role) for role in Role)
    assert set(Role) == {"operator", "supervisor", "installer"}


@given(st.integers(0, 10**6), st.floats(0, 10**6))
def test_a_wait_is_bounded_and_grows(count: int, later_s: float) -> None:
    wait_s = auth.wait_s(Failures(count, NOW), NOW + later_s)
    assert 0 <= wait_s <= auth.LONGEST_S
    assert wait_s <= auth.wait_s(Failures(count + 1, NOW), NOW + later_s)
    assert (count >= auth.FREE) or wait_s == 0


def test_the_book_of_failures_forgets_and_is_bounded() -> None:
    book: auth.Book = {"old": Failures(9, NOW - auth.FORGOTTEN_S)}
    book = auth.failed(book, "a", NOW)
    assert set(book) == {"a"}
    full = {str(number): Failures(1, NOW) for number in range(auth.NAMES_MAX)}
    assert len(auth.failed(full, "new", NOW)) == auth.NAMES_MAX
