"""The API on homes: what it shows and does, what it refuses, and what the audit keeps of it."""

from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from center.api import openapi
from center.domain.incident import Deed, Entry, Outcome
from center.store.rows import audit, records
from hub.contract.messages import CheckInResult
from hub.contract.scaip import Care, What
from tests.center.counter import Counter, at_counter
from tests.center.lives import QUIET, RECORD, activity, care, check_in
from tests.center.making import HUB, NOW, event, hear, state


def write(counter: Counter) -> None:
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0, by="김하늘")
    counter.store.submit(lambda conn: records.put(conn, HUB, RECORD, change)).result(10)


def test_a_home_is_shown_and_it_is_written_down_who_looked(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state())
        empty = (await counter.get(f"/api/homes/{HUB}")).json()
        assert (empty["version"], empty["changed"]) == (0, None)
        write(counter)
        hear(counter.store, activity(NOW - 3600, pir1=4))
        shown = (await counter.get(f"/api/homes/{HUB}")).json()
        assert shown["record"]["contacts"][0]["phone"] == "010-0000-0102"
        assert shown["rooms"]["pir1"] == "거실"
        lines = counter.store.read(audit.search)
        looks = [line.entry for line in lines if line.entry.deed is Deed.RECORD_SEEN]
        assert [(one.by, one.hub) for one in looks] == [("token:bench", HUB)] * 2
        assert (await counter.get("/api/homes/js-0099")).status_code == 404
        assert (await counter.client.get(f"/api/homes/{HUB}")).status_code == 401

    at_counter(tmp_path, story)


def test_hours_come_by_device_and_by_room(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state())
        hear(counter.store, activity(NOW - 7200, pir1=4, pir2=1))
        hear(counter.store, activity(NOW - 5 * 86_400, pir1=9))
        (hour,) = (await counter.get(f"/api/homes/{HUB}/activity")).json()["hours"]
        assert hour["devices"] == {"pir1": 4, "pir2": 1}
        assert hour["rooms"] == {"거실": 4, "부엌": 1, "욕실": 0, "현관": 0}
        all_of_it = (await counter.get(f"/api/homes/{HUB}/activity?days=7")).json()["hours"]
        assert len(all_of_it) == 2
        for nonsense in ("days=0", "days=x", "days=9999"):
            answer = await counter.get(f"/api/homes/{HUB}/activity?{nonsense}")
            assert answer.status_code == 400

    at_counter(tmp_path, story)


def test_check_ins_are_listed_by_day(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, check_in(CheckInResult.MISSED))
        hear(counter.store, check_in(hub="js-0002", checkin="2026-09-20-0900"), hub="js-0002")
        (today,) = (await counter.get("/api/checkins")).json()["checkins"]
        assert (today["hub"], today["slot"], today["result"]) == (HUB, "09:00", "missed")
        (other,) = (await counter.get("/api/checkins?day=2026-09-20")).json()["checkins"]
        assert (other["hub"], other["by"]) == ("js-0002", "voice")
        wrong = await counter.get("/api/checkins?day=tomorrow")
        assert (wrong.status_code, wrong.json()["message"]) == (400, "`day` must be YYYY-MM-DD.")

    at_counter(tmp_path, story)


def test_a_task_is_dealt_with_once_and_the_second_is_told_by_whom(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, care(Care.LOW_MOOD, score=4), utc=NOW)
        (need,) = (await counter.get("/api/needs")).json()["needs"]
        assert (need["kind"], need["score"], need["version"]) == ("low_mood", 4, 1)
        handle = f"/api/needs/{need['id']}/handle"
        tried = await counter.post(handle, {"result": "not_reached", "version": 1})
        assert (tried.json()["tries"], tried.json()["done"]) == (1, None)
        late = await counter.post(handle, {"result": "reached", "version": 1})
        assert (late.status_code, late.json()["error"]) == (409, "stale")
        assert late.json()["message"].startswith("Not done: token:bench called at 2026-09-21T14:13")
        done = await counter.post(handle, {"result": "reached", "note": "통화함", "version": 2})
        assert [call["note"] for call in done.json()["calls"]] == ["", "통화함"]
        again = await counter.post(handle, {"result": "reached"}, **{"accept-language": "ko"})
        assert (again.status_code, again.json()["error"]) == (409, "is_done")
        assert "이미 처리했습니다" in again.json()["message"]
        assert (await counter.get("/api/needs")).json()["needs"] == []
        assert len((await counter.get("/api/needs?state=done")).json()["needs"]) == 1

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"result": "by_incident"}, 400),
        ({"result": "well"}, 400),
        ({"result": "reached", "note": "x" * 2001}, 400),
        ({"result": "reached", "who": "me"}, 400),
        ([], 400),
    ],
)
def test_nonsense_is_refused_in_a_sentence(tmp_path: Path, body: object, status: int) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, care())
        (need,) = (await counter.get("/api/needs")).json()["needs"]
        answer = await counter.post(f"/api/needs/{need['id']}/handle", body)
        assert answer.status_code == status
        assert answer.json()["message"].endswith(".")
        assert len((await counter.get("/api/needs")).json()["needs"]) == 1

    at_counter(tmp_path, story)


def test_what_is_not_there_is_said_to_be_not_there(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        answer = await counter.post("/api/needs/n-0/handle", {"result": "reached"})
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        assert (await counter.get("/api/homes/none/activity")).status_code == 404
        assert (await counter.get("/api/needs?state=all")).status_code == 400

    at_counter(tmp_path, story)


def test_rates_come_as_json_and_as_a_table_file(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW - 20 * 86_400)
        counter.now = NOW
        await counter.post("/api/alarms/b1-1/close", {"outcome": Outcome.PET})
        made = (await counter.get("/api/false-alarms?days=90")).json()
        assert (made["total"]["false"], made["homes"][0]["per_30_days"]) == (1, 1.5)
        assert made["rules"][0]["causes"] == {"pet": 1}
        table = await counter.get("/api/false-alarms.csv?days=90")
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        assert "home,js-0001" in table.text
        assert (await counter.get("/api/false-alarms.csv?days=x")).status_code == 400
        assert (await counter.client.get("/api/false-alarms.csv")).status_code == 401

    at_counter(tmp_path, story)


def test_an_alarm_bears_its_evidence(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        said = event()
        hear(counter.store, replace(said, data=replace(said.data, evidence=QUIET)))
        hear(counter.store, event(What.CLEARED), utc=NOW)
        shown = (await counter.get("/api/alarms/b1-1")).json()
        assert (shown["evidence"]["lasted_s"], shown["evidence"]["last"]) == (19_200, "pir2")
        assert shown["times"]["cleared"] == "2026-09-21T14:13:20.000Z"

    at_counter(tmp_path, story)


def test_answers_are_as_the_document_says(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        write(counter)
        hear(counter.store, care(), utc=NOW)
        hear(counter.store, check_in())
        hear(counter.store, activity(NOW - 3600, pir1=4))
        hear(counter.store, event(), utc=NOW)
        document = openapi.document()
        for path, real in (
            ("/api/homes/{hub}", f"/api/homes/{HUB}"),
            ("/api/homes/{hub}/activity", f"/api/homes/{HUB}/activity"),
            ("/api/checkins", "/api/checkins"),
            ("/api/needs", "/api/needs"),
            ("/api/false-alarms", "/api/false-alarms"),
        ):
            answer = document["paths"][path]["get"]["responses"]["200"]["content"]
            schema = {**answer["application/json"]["schema"], "components": document["components"]}
            jsonschema.validate((await counter.get(real)).json(), schema)
        names = [one["name"] for one in document["paths"]["/api/homes/{hub}"]["get"]["parameters"]]
        assert names == ["hub"]

    at_counter(tmp_path, story)
