"""Tasks on equipment for programs and on pages: one row for a valley, taken, noted, paged."""

import asyncio
import re
import secrets
import time
from pathlib import Path

from center.service import auth, homes, rounds
from center.store.rows import accounts
from center.store.rows import hubs as hub_rows
from tests.center.counter import Counter, at_counter
from tests.center.domain.test_equipment import greet, live_at
from tests.center.making import HUB, NOW, event, hear, state

VALLEY = "강원특별자치도 정선군 정선읍 봉양3길 12"
HUBS = [f"js-{number:04}" for number in range(1, 501)]


async def look(counter: Counter) -> None:
    """Do one round over the hubs."""
    hubs = await counter.desk.store.ask(hub_rows.known)
    await homes.follow_trouble(counter.desk, hubs, counter.now, NOW - 1000)


async def cut_off(counter: Counter, *hubs: str) -> None:
    """Move the clock on by ten minutes in which the hubs are silent."""
    greet(counter.store, *hubs)
    counter.now = NOW + 600
    await look(counter)


def test_a_valley_without_power_is_one_task_for_a_program(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        for hub in HUBS:
            live_at(counter.store, hub, VALLEY)
        await cut_off(counter, *HUBS)
        (need,) = (await counter.get("/api/needs")).json()["needs"]
        assert (need["kind"], need["area"]) == ("hub_lost", "강원특별자치도 정선군 정선읍")
        assert (need["hub"], need["homes"], need["done"]) == ("", 500, None)
        first = (await counter.get(f"/api/needs/{need['id']}?limit=300")).json()
        rest = (await counter.get(f"/api/needs/{need['id']}?limit=300&skip=300")).json()
        assert [first["next"], rest["next"]] == [300, None]
        assert [one["hub"] for one in first["parts"] + rest["parts"]] == HUBS
        assert 'anbu_tasks{kind="hub_lost"} 1' in (await counter.get("/metrics")).text
        assert "anbu_equipment_homes 500" in (await counter.get("/metrics")).text

    at_counter(tmp_path, story)


def test_five_hundred_lost_hubs_are_one_row_of_a_board_that_stays_fast(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        await cut_off(counter, *HUBS)
        token = {"accept-language": "ko"}
        counter.client.cookies.update(await _cookies(counter))
        began = time.perf_counter()
        board = await counter.client.get("/", headers=token)
        took = time.perf_counter() - began
        assert board.status_code == 200
        assert board.text.count('class="line equipment"') == 1
        assert "500가구" in board.text
        assert "js-0400" not in board.text
        assert took < 1.0  # 0.02 s where it was measured
        path = re.search(r'href="(/tasks/n-\w+)"', board.text)
        assert path
        page = (await counter.client.get(path[1])).text
        assert page.count('<th scope="row">') == 50
        assert "1쪽 / 10쪽" in page

    at_counter(tmp_path, story)


def test_who_takes_it_is_named_and_the_second_learns_who_was_first(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        await cut_off(counter, HUB)
        (need,) = (await counter.get("/api/needs")).json()["needs"]
        act = f"/api/needs/{need['id']}/handle"
        wrong = await counter.post(act, {"result": "reached"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "no_result")
        assert "taken, noted, visit_arranged, seen_to" in wrong.json()["message"]
        taken = await counter.post(act, {"result": "taken", "version": 1})
        assert taken.json()["taken_by"] == "token:bench"
        late = await counter.post(act, {"result": "taken", "version": 1})
        assert late.status_code == 409
        note = {"result": "noted", "note": "한전에 알림: 8시 복구 예정", "version": 2}
        await counter.post(act, note)
        done = await counter.post(act, {"result": "seen_to", "version": 3})
        assert [call["result"] for call in done.json()["calls"]] == ["taken", "noted", "seen_to"]
        assert (await counter.get("/api/needs")).json()["needs"] == []
        assert (await counter.post(act, {"result": "by_itself"})).status_code == 400
        (over,) = (await counter.get("/api/needs?state=done")).json()["needs"]
        assert over["done"]
        assert (await counter.get("/api/needs/n-none")).status_code == 404

    at_counter(tmp_path, story)


def test_a_program_tells_of_a_test_press(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        told = (await counter.post(f"/api/homes/{HUB}/test")).json()
        assert (told["kind"], told["taken_by"]) == ("press_due", "token:bench")
        assert told["until"]
        hear(counter.store, event(at=NOW + 30), utc=NOW + 30)
        alarm = (await counter.get("/api/alarms/b1-1")).json()
        assert (alarm["who"], alarm["needs_person"]) == ("token:bench", False)
        assert (await counter.post("/api/homes/js-9999/test")).status_code == 404
        (done,) = (await counter.get("/api/needs?state=done")).json()["needs"]
        assert done["id"] == told["id"]

    at_counter(tmp_path, story)


def test_the_rounds_make_tasks_and_tell_the_pages(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        greet(counter.store, HUB)
        counter.now = NOW + 600
        feed = counter.desk.feed.listen(60)
        heard = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        walking = asyncio.ensure_future(rounds.watch_hubs(counter.desk))
        assert (await asyncio.wait_for(heard, 10)).topic == "need"
        walking.cancel()
        (need,) = (await counter.get("/api/needs")).json()["needs"]
        assert need["kind"] == "hub_lost"

    at_counter(tmp_path, story)


async def _cookies(counter: Counter) -> dict[str, str]:
    secret = secrets.token_urlsafe()
    hashed, until = auth.digest(secret), counter.now + 3600
    await counter.store.change(accounts.open_session, counter.now, hashed, "김하늘", until, "test")
    return {auth.COOKIE: secret}
