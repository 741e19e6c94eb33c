"""Why a call came that was raised for a reading: value, limit, how long, what was answered."""

import httpx
import pytest
from msgspec.structs import replace

from center.console.incident.reason import brief, reason
from center.console.view import Viewer
from center.service.texts import texts
from hub.contract.examples import READINGS
from hub.contract.messages import VitalEvidence, VitalKind
from hub.contract.scaip import Kind, What
from hub.shared.language import Language
from tests.center.e2e.office import Office
from tests.center.making import HUB, NOW, moved, raised

KO, EN = texts(Language.KOREAN), texts(Language.ENGLISH)
PULSE = VitalEvidence(
    VitalKind.PULSE, 134.4, 120.0, above=True, device="band", since_utc=NOW - 660, lasted_s=660.0,
    n=640, usual=68.0,
)  # fmt: skip


def told(kind: Kind, said: VitalEvidence, lang: Language = Language.KOREAN) -> str:
    incident = moved(raised(), kind=kind, vital=said)
    found = reason(incident, {}, Viewer("김하늘", NOW, texts(lang)))
    assert found
    return " ".join((found.seen, found.usual, *found.more))


def test_a_pulse_is_told_with_its_limit_how_long_and_what_is_usual() -> None:
    said = told(Kind.HEART_RATE, PULSE)
    assert "11분 동안 맥박 가운뎃값 134회/분. 정해 둔 기준 120회/분보다 높았습니다." in said
    assert "이분은 보통 68회/분입니다." in said
    assert KO("vital_said.none") in said
    assert KO("vital_evidence.caution") in said


def test_an_oxygen_that_was_measured_twice_is_told_with_the_answer() -> None:
    said = told(Kind.OXYGEN, READINGS[Kind.OXYGEN], Language.ENGLISH)
    assert "Oxygen saturation 86 %, below the limit of 90 %." in said
    assert EN("vital_evidence.unlearned") in said
    assert EN("vital_said.fine") in said


def test_a_kind_and_an_answer_of_a_newer_hub_are_told_as_they_came() -> None:
    odd = replace(PULSE, kind=VitalKind.of("skin_moisture"), said="maybe_later")
    said = told(Kind.HEART_RATE, odd)
    assert "skin_moisture" in said
    assert "maybe_later" in said


def test_the_board_has_value_and_limit_in_one_line() -> None:
    one = moved(raised(), kind=Kind.HEART_RATE, vital=PULSE)
    assert brief(one, Viewer("김하늘", NOW, KO)) == "맥박 134회/분 · 기준 120"


@pytest.mark.parametrize("kind", READINGS)
def test_the_page_of_the_call_and_the_api_have_the_reading(
    office: Office, operator: httpx.Client, kind: Kind
) -> None:
    event = office.event(HUB, "v-1", "", kind=kind, device="band")
    office.hear(HUB, replace(event, data=replace(event.data, vital=READINGS[kind])))
    page = operator.get("/incidents/v-1").text
    assert f"{READINGS[kind].value:.0f}" in page
    assert KO("vital_evidence.caution") in page
    assert f"{READINGS[kind].value:.0f}" in operator.get("/").text
    shown = operator.get("/api/alarms/v-1").json()
    assert shown["vital"]["limit"] == READINGS[kind].limit
    later = office.event(HUB, "v-1", "", kind=kind, device="band", what=What.REPEATED)
    office.hear(HUB, later)  # without a reading of its own: the first one stays
    assert operator.get("/api/alarms/v-1").json()["vital"]["value"] == READINGS[kind].value
