"""The API over the real application: what it shows, does, refuses, and says about it."""

from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import Connection

from center.api import openapi
from center.config import Center
from center.domain.incident import Incident, Outcome
from center.store.rows import incidents
from hub.contract.messages import Stage, Telemetry
from hub.contract.scaip import What
from tests.center.counter import Counter, at_counter
from tests.center.making import HUB, NOW, event, hear, state

TAKE = "/api/alarms/b1-1/take"
CLOSE = "/api/alarms/b1-1/close"


def test_an_alarm_is_shown_taken_and_closed_and_its_hub_hears_of_it(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        counter.now = NOW + 70
        (shown,) = (await counter.get("/api/alarms?state=open")).json()["alarms"]
        assert (shown["id"], shown["hub"], shown["kind"]) == ("b1-1", HUB, "help_button")
        assert (shown["stage"], shown["ages"]["urgency"]) == ("received", "late")
        assert shown["times"]["received"] == "2026-09-21T14:13:20.000Z"
        taken = await counter.post(TAKE, {"version": 1})
        assert taken.status_code == 200
        assert (taken.json()["who"], taken.json()["stage"]) == ("token:bench", "accepted")
        await counter.post("/api/alarms/b1-1/note", {"text": "통화함"})
        await counter.post("/api/alarms/b1-1/present")
        closed = await counter.post(CLOSE, {"outcome": "help_given", "version": 4})
        assert closed.json()["times"]["closed"] == "2026-09-21T14:14:30.000Z"
        assert [line["deed"] for line in closed.json()["timeline"]] == [
            "raised", "taken", "noted", "present", "closed",
        ]  # fmt: skip
        assert [(hub, ack.stage, ack.version) for hub, ack in counter.link.sent] == [
            (HUB, Stage.ACCEPTED, 2),
            (HUB, Stage.ACCEPTED, 3),
            (HUB, Stage.PRESENT, 4),
            (HUB, Stage.CLOSED, 5),
        ]
        assert (await counter.get("/api/alarms")).json()["alarms"] == []
        assert len((await counter.get("/api/alarms?state=all")).json()["alarms"]) == 1

    at_counter(tmp_path, story)


def test_the_second_operator_gets_the_alarm_and_a_sentence(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        await counter.post(TAKE, {"version": 1})
        late = await counter.post(TAKE, {"version": 1})
        assert late.status_code == 409
        assert late.json()["error"] == "stale"
        assert "token:bench took it at 2026-09-21T14:13:20.000Z" in late.json()["message"]
        assert late.json()["alarm"]["version"] == 2
        korean = await counter.post(TAKE, {"version": 1}, **{"accept-language": "ko-KR"})
        assert "token:bench: 접수" in korean.json()["message"]

    at_counter(tmp_path, story)


def test_a_press_in_the_last_second_refuses_the_closing(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        hear(counter.store, event(What.REPEATED), utc=NOW + 1)
        late = await counter.post(CLOSE, {"outcome": "pet", "version": 1})
        assert late.status_code == 409
        assert "the home called again" in late.json()["message"]
        assert not counter.link.sent

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (TAKE, {"version": "one"}, 400),
        (TAKE, {"version": 1, "colour": "red"}, 400),
        (TAKE, [1, 2], 400),
        (TAKE, 3.5, 400),
        (TAKE, {"version": 10**400}, 409),
        (CLOSE, {}, 400),
        (CLOSE, {"outcome": "eaten"}, 400),
        (CLOSE, {"outcome": "other_false"}, 400),
        (CLOSE, {"outcome": "pet", "note": "x" * 2001}, 400),
        ("/api/alarms/b1-1/note", {"text": "   "}, 400),
        ("/api/alarms/b1-1/reopen", {}, 409),
        ("/api/alarms/none/take", {}, 404),
        ("/api/alarms/b1-1/eat", {}, 404),
        ("/api/alarms", {}, 405),
        (TAKE, {"x": "y" * 70_000}, 413),
    ],
)
def test_nonsense_is_answered_with_a_sentence(
    tmp_path: Path, path: str, body: object, status: int
) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        answer = await counter.post(path, body)
        assert answer.status_code == status
        assert answer.json()["error"]
        assert "Traceback" not in answer.text
        assert (await counter.get("/api/alarms/b1-1")).json()["version"] == 1

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 50_000, b'{"version": NaN}', b"\x00", b'"\\ud800"']
)
def test_bytes_that_are_no_json_are_refused(tmp_path: Path, body: bytes) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        headers = {"authorization": counter.client.headers.get("authorization", "")}
        answer = await counter.client.post(TAKE, content=body, headers=headers)
        assert answer.status_code == 401
        answer = await counter.client.post(
            TAKE, content=body, headers={"authorization": "Bearer anbu_nobody_knows_this"}
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    "query",
    ["state=lost", "limit=0", "limit=501", "limit=-1", "limit=x", "limit=" + "9" * 5000, "limit=²"],
)
def test_a_query_out_of_bounds_says_what_is_allowed(tmp_path: Path, query: str) -> None:
    async def story(counter: Counter) -> None:
        answer = await counter.get(f"/api/alarms?{query}")
        assert answer.status_code == 400
        assert "must be" in answer.json()["message"]
        odd = await counter.get("/api/alarms?before=%ff%00%ed%a0%80")
        assert odd.json() == {"alarms": [], "next": None}

    at_counter(tmp_path, story)


def test_a_body_without_a_length_is_bounded_too(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 1024

        headers = {"authorization": "Bearer anbu_nobody_knows_this"}
        answer = await counter.client.post(TAKE, content=endless(), headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")

    at_counter(tmp_path, story, Center(max_body_bytes=10_000))


def test_hubs_show_what_is_seen_of_them(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        hear(counter.store, Telemetry(NOW, synced=True, readings={}), hub="js-0002", utc=NOW)
        counter.now = NOW + 50
        shown = (await counter.get("/api/hubs")).json()
        assert shown["listening"]
        assert [(hub["hub"], hub["seen"], hub["silent_s"]) for hub in shown["hubs"]] == [
            (HUB, "ready", 50.0), ("js-0002", "starting", 50.0),
        ]  # fmt: skip
        counter.now = NOW + 81
        shown = (await counter.get("/api/hubs")).json()
        assert {hub["seen"] for hub in shown["hubs"]} == {"lost"}

    at_counter(tmp_path, story)


def test_every_outcome_is_listed_in_the_language_asked_for(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        english = (await counter.get("/api/outcomes")).json()["outcomes"]
        korean = (await counter.get("/api/outcomes", **{"accept-language": "ko"})).json()
        assert [one["id"] for one in english] == list(Outcome)
        assert {one["label"] for one in english}.isdisjoint(o["label"] for o in korean["outcomes"])

    at_counter(tmp_path, story)


def test_health_tells_store_link_and_age(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        counter.now = NOW + 5
        well = await counter.client.get("/healthz")
        assert well.status_code == 200
        assert (well.json()["store"]["ok"], well.json()["age_s"]) == (True, 5.0)
        counter.link._state = type(counter.link.state())(None, trouble="gone")
        ill = await counter.client.get("/healthz")
        assert (ill.status_code, ill.json()["link"]["trouble"]) == (503, "gone")

    at_counter(tmp_path, story)


def test_metrics_count(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        counter.now = NOW + 65
        await counter.post(TAKE)
        counter.desk.tally.refuse("malformed")
        page = (await counter.client.get("/metrics")).text
        for line in (
            'anbu_refused_total{reason="malformed"} 1',
            'anbu_incidents{stage="accepted"} 1',
            'anbu_time_to_take_seconds_bucket{le="60"} 0',
            'anbu_time_to_take_seconds_bucket{le="120"} 1',
            "anbu_time_to_take_seconds_sum 65",
            'anbu_hubs{seen="starting"} 1',
            "anbu_link_up 1",
        ):
            assert line in page.splitlines()

    at_counter(tmp_path, story)


def test_what_is_answered_is_what_the_document_says(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        hear(counter.store, state(), utc=NOW)
        document = (await counter.client.get("/openapi.json")).json()
        for path in ("/api/alarms", "/api/alarms/{id}", "/api/hubs", "/api/outcomes", "/healthz"):
            answer = await counter.get(path.replace("{id}", "b1-1"))
            content = document["paths"][path]["get"]["responses"]["200"]["content"]
            schema = content["application/json"]["schema"] | {"components": document["components"]}
            jsonschema.validate(answer.json(), schema)
        assert {one.path for one in openapi.OPERATIONS} < set(document["paths"])

    at_counter(tmp_path, story)


def test_a_database_that_does_not_work_is_told_in_a_sentence(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        def break_it(conn: Connection) -> None:
            conn.exec_driver_sql("ALTER TABLE incidents RENAME TO gone")

        counter.store.submit(break_it).result(10)
        answer = await counter.get("/api/alarms")
        assert (answer.status_code, answer.json()["error"]) == (503, "trouble")
        counter.store._engine.dispose()
        (tmp_path / "center.db").write_bytes(b"x" * 8192)
        ill = await counter.client.get("/healthz")
        assert (ill.status_code, ill.json()["store"]["ok"]) == (503, False)

    at_counter(tmp_path, story)


def test_a_mistake_of_ours_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Incident]:
        raise ZeroDivisionError

    async def story(counter: Counter) -> None:
        monkeypatch.setattr(incidents, "incidents", broken)
        answer = await counter.get("/api/alarms")
        assert (answer.status_code, answer.json()["error"]) == (500, "trouble")
        assert "Traceback" not in answer.text

    at_counter(tmp_path, story)


def test_a_program_may_read_what_is_open_as_the_board_has_it(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(alarm="old", hub="js-0009"), "js-0009", utc=NOW - 600)
        for n in range(15):
            hear(counter.store, event(alarm=f"new-{n}"), utc=NOW + n)
        newest = (await counter.get("/api/alarms?limit=5")).json()["alarms"]
        assert "old" not in {one["id"] for one in newest}
        urgent = (await counter.get("/api/alarms?limit=5&order=urgent")).json()
        assert [one["id"] for one in urgent["alarms"][:2]] == ["old", "new-0"]
        assert urgent["next"] is None
        for wrong in ("order=x", "order=urgent&state=closed"):
            answer = await counter.get(f"/api/alarms?{wrong}")
            assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")

    at_counter(tmp_path, story)
