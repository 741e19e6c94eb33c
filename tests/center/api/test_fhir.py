"""FHIR for the medical partner: what is given, to whom, by whose consent; valid by fhir.resources.

`fhir.resources` has R4B, not R4: of Observation, Bundle and OperationOutcome R4B (4.3.0) differs
from R4 (4.0.1) only in what Observation may be about and in its allowed value types, and we use
neither. Its rules on profiles are not checked there, so KR Core's own are checked here by hand.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.operationoutcome import OperationOutcome
from msgspec.structs import replace
from pydantic import ValidationError

from center import cli
from center.api import openapi
from center.api.fhir.observations import BASE, KR_CORE, LOINC, observation
from center.api.fhir.server import BURST
from center.domain.incident import Deed
from center.domain.record import Consent, ConsentItem
from center.domain.vitals import Reading
from center.service import auth, removal
from center.store.rows import audit, partners
from center.store.rows import vitals as rows
from hub.contract.messages import Vital, VitalKind, Vitals
from hub.contract.wire import timestamp
from tests.center.bodies import WILLING, pressure, quarter, reading, usual_quarters, write
from tests.center.counter import Counter, at_counter
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW, hear, state, stored

KEY = "anbu_fhir_nobody_knows_this"
CLINIC = {"authorization": f"Bearer {KEY}"}
Json = dict[str, Any]


def opened(counter: Counter) -> str:
    """Make a partner, and a home that shares; return the partner's name for its resident."""
    hear(counter.store, state(), utc=NOW)
    write(counter.store)

    def job(conn: Any) -> str:  # noqa: ANN401 - a connection
        partners.put(conn, NOW, "보건소", auth.digest(KEY))
        return partners.name_subject(conn, HUB, NOW)

    return counter.store.submit(job).result(10)


async def ask(counter: Counter, path: str, **headers: str) -> httpx.Response:
    return await counter.client.get(path, headers={**CLINIC, **headers})


async def search(counter: Counter, query: str) -> list[Json]:
    """Return all Observations of a search, page by page; every page is valid."""
    found: list[Json] = []
    path = f"/fhir/Observation?{query}"
    while path:
        answer = await ask(counter, path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/fhir+json")
        page = Bundle.model_validate_json(answer.text)
        assert page.type == "searchset"
        told = answer.json()
        found += [one["resource"] for one in told.get("entry", [])]
        following = [one["url"] for one in told["link"] if one["relation"] == "next"]
        path = "?".join(urlsplit(following[0])[2:4]) if following else ""
    return found


def codes(one: Json) -> list[str]:
    return [coding["code"] for coding in one["code"]["coding"]]


def everything() -> Vitals:
    """A reading of every kind."""
    usual = {VitalKind.STRESS: 95.0}
    entries = tuple(
        Vital(kind, NOW, "han-gaon-band", 36.6 + number, 36.0, 60.0, 12, usual=usual.get(kind))
        for number, kind in enumerate(VitalKind)
    )
    return Vitals(NOW - 900, NOW, synced=True, entries=entries)


def keys(of: object) -> Iterator[str]:
    if isinstance(of, dict):
        yield from of
        of = list(of.values())
    if isinstance(of, list):
        for one in of:
            yield from keys(one)


def test_every_kind_is_a_valid_observation(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, everything(), utc=NOW)
        found = await search(counter, f"subject={subject}")
        for one in found:
            Observation.model_validate_json(json.dumps(one))
        assert sorted(codes(one)[-1] for one in found) == sorted([
            "8867-4", "40443-4", "59408-5", "85354-9", "8310-5", "80404-7", "rmssd", "lf-hf",
            "stress-index",
        ])  # fmt: skip

    at_counter(tmp_path, story)


def test_an_invalid_observation_is_found_by_the_oracle(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, quarter(NOW), utc=NOW)
        one, *_ = await search(counter, f"subject={subject}")
        for spoil in ({"status": None}, {"id": "with blanks"}, {"code": {}, "colour": "red"}):
            with pytest.raises(ValidationError):
                Observation.model_validate_json(json.dumps({**one, **spoil}))

    at_counter(tmp_path, story)


def test_vital_signs_keep_the_rules_of_kr_core(tmp_path: Path) -> None:
    """The rules of KR Core 2.0.0: category, one code each, units, value or its reason."""
    wanted = {
        "heartrate": ("8867-4", "/min"), "pulseoximetry": ("2708-6", "%"),
        "bodytemperature": ("8310-5", "Cel"), "bloodpressure": ("85354-9", "mm[Hg]"),
    }  # fmt: skip

    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, everything(), utc=NOW)
        seen = set()
        for one in await search(counter, f"subject={subject}"):
            claimed = [url.removeprefix(KR_CORE) for url in one["meta"].get("profile", ())
                       if url.startswith(KR_CORE)]  # fmt: skip
            category = one["category"][0]["coding"][0]["code"]
            assert (category == "vital-signs") == bool(claimed)
            for name in claimed:
                code, unit = wanted[name]
                assert one["code"]["coding"][0] | {"display": ""} == {
                    "system": LOINC, "code": code, "display": "",
                }  # fmt: skip
                values = [one, *one.get("component", ())]
                quantities = [part["valueQuantity"] for part in values if "valueQuantity" in part]
                assert {quantity["code"] for quantity in quantities} == {unit}
                assert {quantity["system"] for quantity in quantities} == {
                    "http://unitsofmeasure.org"
                }
                seen.add(name)
            assert any(url.startswith(BASE) for url in one["meta"].get("profile", [BASE]))
        assert seen == wanted.keys()

    at_counter(tmp_path, story)


def test_a_blood_pressure_is_a_panel_of_its_parts(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, pressure(NOW - 60), utc=NOW)
        hear(counter.store, reading(VitalKind.SYSTOLIC, 140.0, device="cuff", irregular=True))
        whole, part = await search(counter, f"subject={subject}&code={LOINC}|85354-9")
        values = {
            one["code"]["coding"][0]["code"]: one["valueQuantity"]["value"]
            for one in whole["component"]
        }
        assert values == {"8480-6": 131.0, "8462-4": 78.0, "8478-0": 96.0}
        assert "valueQuantity" not in whole
        assert [one.get("dataAbsentReason") is None for one in part["component"]] == [True, False]
        assert part["note"] == [{"text": "The device marked the pulse as irregular."}]

    at_counter(tmp_path, story)


def test_a_summary_has_its_interval_and_a_reading_its_moment(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, quarter(NOW), utc=NOW)
        hear(counter.store, pressure(NOW - 60), utc=NOW)
        pulse, = await search(counter, f"subject={subject}&code=8867-4")  # fmt: skip
        ends = {name: timestamp(utc) for name, utc in (("start", NOW - 900), ("end", NOW))}
        assert pulse["effectivePeriod"] == ends
        assert pulse["note"][0]["text"].startswith("Mean of 880 measurements, lowest ")
        cuff, = await search(counter, f"subject={subject}&code=85354-9")  # fmt: skip
        assert cuff["effectiveDateTime"].endswith("Z")

    at_counter(tmp_path, story)


def test_nothing_in_it_says_who_it_is(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, everything(), utc=NOW)
        answer = await ask(counter, f"/fhir/Observation?subject={subject}")
        for secret in (HUB, RECORD.name, RECORD.phone, RECORD.address, "han-gaon-band", "한"):
            assert secret not in answer.text
        one = answer.json()["entry"][0]["resource"]
        assert one["subject"]["identifier"]["value"] == subject
        assert "reference" not in one["subject"]
        assert "name" not in set(keys(answer.json()))

    at_counter(tmp_path, story)


def test_a_device_is_known_by_another_name_to_each_resident() -> None:
    one = Reading(VitalKind.PULSE, "band", NOW, 70.0)
    first, second = (
        observation(one, subject, {})["device"]["identifier"]["value"]
        for subject in ("anbu-1", "anbu-2")
    )
    assert first != second


def test_pages_give_each_reading_once_and_changes_since_are_found(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        for said in usual_quarters(NOW, 30):
            hear(counter.store, said, utc=NOW)
        whole = await search(counter, f"subject={subject}&_count=500")
        paged = await search(counter, f"patient=Patient/{subject}&_count=7")
        assert [one["id"] for one in paged] == [one["id"] for one in whole]
        assert len({one["id"] for one in whole}) == len(whole) > 60
        since = whole[0]["meta"]["lastUpdated"].replace(".000Z", "Z")
        hear(counter.store, reading(VitalKind.PULSE, 71.0, NOW - 7 * 86_400), utc=NOW + 3600)
        later = since.replace("Z", "+00:00").replace("+", "%2B")
        assert len(await search(counter, f"subject={subject}&_since={later}")) == len(whole) + 1
        new = await search(counter, f"subject={subject}&_lastUpdated=gt{later}")
        assert [one["valueQuantity"]["value"] for one in new] == [71.0]

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("", [0, 6, 12, 48]),
        ("date=2026-09-22", [12]),
        ("date=ge2026-09-22", [12, 48]),
        ("date=lt2026-09-22", [0, 6]),
        ("date=gt2026-09-22&date=le2026-09-23", [48]),
        ("date=ge2026-09-21T18:00:00Z", [12, 48]),
        ("date=ge2026-09-21T18:00:00%2B09:00&date=lt2026-09-22", [6]),
        ("code=8867-4,8310-5", [0, 6, 12, 48]),
        ("code=8310-5", []),
        ("code=urn:other|8867-4", []),
        ("code=http://loinc.org|8867-4", [0, 6, 12, 48]),
    ],
)
def test_a_span_and_a_code_are_searched_for(tmp_path: Path, query: str, hours: list[int]) -> None:
    start = 1_789_974_000.0  # 2026-09-21 16:00 in Korea

    async def story(counter: Counter) -> None:
        subject = opened(counter)
        for hour in (0, 6, 12, 48):
            said = reading(VitalKind.PULSE, 60.0 + hour, start + hour * 3600)
            hear(counter.store, said, utc=start + 50 * 3600)
        found = await search(counter, f"subject={subject}&{query}")
        assert [one["valueQuantity"]["value"] - 60 for one in found] == hours

    at_counter(tmp_path, story)


def test_one_observation_is_read_by_its_id(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, everything(), utc=NOW)
        for one in await search(counter, f"subject={subject}"):
            answer = await ask(counter, f"/fhir/Observation/{one['id']}")
            assert answer.json() == one
        for odd in (f"{subject}.pulse.1.00000000", "x", f"{subject}.worn.{int(NOW * 1000)}.0"):
            answer = await ask(counter, f"/fhir/Observation/{odd}")
            OperationOutcome.model_validate_json(answer.text)
            assert answer.status_code == 404

    at_counter(tmp_path, story)


@pytest.mark.parametrize("item", [ConsentItem.VITALS, ConsentItem.SHARE_MEDICAL])
def test_without_consent_nothing_is_given(tmp_path: Path, item: ConsentItem) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, quarter(NOW), utc=NOW)
        kept = [one["id"] for one in await search(counter, f"subject={subject}")]
        back = Consent(item, given=False)
        write(counter.store, replace(WILLING, consents=(*WILLING.consents, back)))
        for path in (f"/fhir/Observation?subject={subject}", f"/fhir/Observation/{kept[0]}"):
            answer = await ask(counter, path)
            assert answer.status_code == 403
            OperationOutcome.model_validate_json(answer.text)
            assert answer.json()["issue"][0]["code"] == "forbidden"

    at_counter(tmp_path, story)


def test_a_home_that_never_consented_has_no_name_there(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        opened(counter)
        write(counter.store, RECORD, "js-0002")
        job = counter.store.submit(lambda conn: partners.name_subject(conn, "js-0002", NOW))
        assert job.result(10) == ""
        for nobody in ("js-0001", "anbu-00000000000000000000", "%27%22"):
            answer = await ask(counter, f"/fhir/Observation?subject={nobody}")
            assert answer.status_code == 404

    at_counter(tmp_path, story)


def test_who_moves_in_next_has_another_name(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        before = opened(counter)
        counter.store.submit(lambda conn: removal.remove_home(conn, NOW, HUB)).result(10)
        answer = await ask(counter, f"/fhir/Observation?subject={before}")
        assert answer.status_code == 404
        assert opened(counter) != before

    at_counter(tmp_path, story)


def test_each_page_that_is_given_stands_in_the_audit(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        for said in usual_quarters(NOW, 8):
            hear(counter.store, said, utc=NOW)
        await search(counter, f"subject={subject}&_count=15")
        lines = [one.entry for one in counter.store.read(audit.search)]
        shared = [one for one in lines if one.deed is Deed.VITALS_SHARED]
        assert {(one.by, one.hub) for one in shared} == {("partner:보건소", HUB)}
        given = len(await search(counter, f"subject={subject}&_count=500"))
        assert sum(int(one.text) for one in shared) == given

    at_counter(tmp_path, story)


def test_the_key_opens_this_and_nothing_else_and_no_other_key_opens_this(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        path = f"/fhir/Observation?subject={subject}"
        for page in ("/api/alarms", f"/api/homes/{HUB}", "/api/audit", "/api/feed"):
            assert (await ask(counter, page)).status_code == 401
        assert (await counter.get(path)).status_code == 401  # with an operator's token
        nobody = await counter.client.get(path)
        assert nobody.status_code == 401
        assert nobody.headers["www-authenticate"] == "Bearer"
        OperationOutcome.model_validate_json(nobody.text)
        counter.store.submit(lambda conn: partners.remove(conn, NOW, "보건소")).result(10)
        assert (await ask(counter, path)).status_code == 401

    at_counter(tmp_path, story)


def test_a_partner_that_asks_without_end_has_to_wait(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        path = f"/fhir/Observation?subject={subject}"
        for _ in range(int(BURST)):
            assert (await ask(counter, path)).status_code == 200
        late = await ask(counter, path)
        assert (late.status_code, late.headers["retry-after"]) == (429, "1")
        OperationOutcome.model_validate_json(late.text)
        counter.now += 1.0
        assert (await ask(counter, path)).status_code == 200

    at_counter(tmp_path, story)


@pytest.mark.parametrize(
    "query",
    [
        "", "subject=a&patient=b", "subject={s}&date=soon", "subject={s}&date=ge2026-13-40",
        "subject={s}&date=ap2026-09-21", "subject={s}&date=ge2026-09-21T10:00:00",
        "subject={s}&_count=0", "subject={s}&_count=many", "subject={s}&_cursor=%00",
        "subject={s}&_cursor=bm9wZQ", "subject={s}&_since=2026",
    ],
)  # fmt: skip
def test_what_was_not_understood_is_named(tmp_path: Path, query: str) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        answer = await ask(counter, f"/fhir/Observation?{query.format(s=subject)}")
        assert answer.status_code == 400
        told = OperationOutcome.model_validate_json(answer.text)
        assert told.issue[0].code == "invalid"

    at_counter(tmp_path, story)


def test_a_reading_whose_time_is_not_known_is_not_given(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        subject = opened(counter)
        hear(counter.store, reading(VitalKind.PULSE, 70.0, fresh=False), utc=NOW)
        hear(counter.store, replace(reading(VitalKind.OXYGEN, 97.0), synced=False), utc=NOW)
        assert await search(counter, f"subject={subject}") == []
        assert len(counter.store.read(rows.unsure, HUB, 0.0)) == 2

    at_counter(tmp_path, story)


def test_the_server_says_what_it_can_do(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        answer = await counter.client.get("/fhir/metadata")
        said = CapabilityStatement.model_validate_json(answer.text)
        assert said.fhirVersion == "4.0.1"

    at_counter(tmp_path, story)


def test_the_document_of_the_api_has_its_paths() -> None:
    paths = openapi.document()["paths"]
    for path in ("/fhir/metadata", "/fhir/Observation", "/fhir/Observation/{id}"):
        assert "application/fhir+json" in paths[path]["get"]["responses"]["200"]["content"]
    assert paths["/fhir/Observation"]["get"]["security"] == [{"partner": []}]
    names = [one["name"] for one in paths["/fhir/Observation"]["get"]["parameters"]]
    assert {"subject", "date", "_since", "_count"} <= set(names)


def test_keys_are_made_listed_and_removed_at_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "center.toml"
    config.write_text('[center]\ndatabase = "center.db"\n', "utf-8")

    def run(*words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        cli.add_arguments(parser)
        code = cli.run(parser.parse_args(["partner", *words, "--config", str(config)]))
        return code, capsys.readouterr().out

    code, made = run("add", "보건소")
    assert (code, made.startswith("anbu_fhir_")) == (0, True)
    assert "보건소" in run("list")[1]
    with stored(tmp_path) as store:
        assert store.read(partners.by_key, auth.digest(made.strip())) == "보건소"
    assert run("remove", "보건소")[0] == 0
    assert run("remove", "보건소")[0] == 1
    with stored(tmp_path) as store:
        deeds = [one.entry.deed for one in store.read(audit.search)]
    assert deeds == [Deed.PARTNER_REMOVED, Deed.PARTNER_ADDED]
