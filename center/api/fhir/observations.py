"""Readings as FHIR R4 Observations: LOINC codes, UCUM units, KR Core where it fits. Pure.

A home's resident is a pseudonym. Names, addresses, rooms and the names of devices are left out.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from center.domain.vitals import Reading
from hub.contract.messages import VitalKind
from hub.contract.wire import timestamp

Json: TypeAlias = dict[str, Any]
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
# HL7 Korea's KR Core 2.0.0 and HL7's own vital signs (R4): their canonical addresses
KR_CORE = "http://www.hl7korea.or.kr/fhir/krcore/StructureDefinition/krcore-"
BASE = "http://hl7.org/fhir/StructureDefinition/"
# our own codes, for what LOINC 2.81 has none: an address of no server, so that it is never another
OWN_CODES = "urn:uuid:6b1f0a52-94a4-4f0e-9a27-2f6f6d7c1c11"
SUBJECTS = "urn:uuid:0d7a4f6e-3f0c-4b53-8a54-5a2a7a1d9b90"
DEVICES = "urn:uuid:b9a3c1de-51c7-4f57-8a6b-6d3b8b0e2f47"
DIGITS = 2  # after the point: more than any device measures
VITAL_SIGNS, PROCEDURE = "vital-signs", "procedure"


class Coded(Struct, frozen=True):
    """How a kind is written: its codes (the most general first), unit, profiles, category.

    `device` says what measures it. Without LOINC code there is one of our own.
    """

    codes: tuple[tuple[str, str, str], ...]  # system, code, display
    unit: str
    ucum: str
    device: str
    profiles: tuple[str, ...] = ()
    category: str = PROCEDURE
    method: str = ""


SYSTOLIC, DIASTOLIC, MEAN = VitalKind.SYSTOLIC, VitalKind.DIASTOLIC, VitalKind.MEAN_PRESSURE
_HEART = (LOINC, "8867-4", "Heart rate")
_BAND = "wearable heart rate monitor"
CODED: Mapping[VitalKind, Coded] = {
    VitalKind.PULSE: Coded(
        (_HEART,), "beats/minute", "/min", _BAND,
        (f"{KR_CORE}heartrate", f"{BASE}heartrate"), VITAL_SIGNS,
    ),
    VitalKind.RESTING_PULSE: Coded(
        (_HEART, (LOINC, "40443-4", "Heart rate --resting")), "beats/minute", "/min", _BAND,
        (f"{KR_CORE}heartrate", f"{BASE}heartrate"), VITAL_SIGNS,
    ),
    VitalKind.OXYGEN: Coded(
        (
            (LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
            (LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ),
        "%", "%", "pulse oximeter",
        (f"{KR_CORE}pulseoximetry", f"{BASE}oxygensat"), VITAL_SIGNS,
    ),
    SYSTOLIC: Coded(  # stands for the panel
        ((LOINC, "85354-9", "Blood pressure panel with all children optional"),),
        "mmHg", "mm[Hg]", "blood pressure cuff",
        (f"{KR_CORE}bloodpressure", f"{BASE}bp"), VITAL_SIGNS,
    ),
    VitalKind.TEMPERATURE: Coded(
        ((LOINC, "8310-5", "Body temperature"),), "Cel", "Cel", "thermometer",
        (f"{KR_CORE}bodytemperature", f"{BASE}bodytemp"), VITAL_SIGNS,
    ),
    VitalKind.SDNN: Coded(
        ((LOINC, "80404-7", "R-R interval.standard deviation (Heart rate variability)"),),
        "ms", "ms", _BAND,
    ),
    VitalKind.RMSSD: Coded(
        ((OWN_CODES, "rmssd", "Root mean square of successive R-R interval differences"),),
        "ms", "ms", _BAND,
    ),
    VitalKind.LF_HF: Coded(
        ((OWN_CODES, "lf-hf", "Ratio of low to high frequency power of R-R intervals"),),
        "1", "1", _BAND,
    ),
    VitalKind.STRESS: Coded(
        ((OWN_CODES, "stress-index", "Stress index of R-R intervals (Baevsky)"),),
        "1/s2", "/s2", _BAND, method="Baevsky's stress index, histogram bins of 50 ms",
    ),
}  # fmt: skip
PARTS = {  # of a blood pressure
    SYSTOLIC: ("8480-6", "Systolic blood pressure"),
    DIASTOLIC: ("8462-4", "Diastolic blood pressure"),
    MEAN: ("8478-0", "Mean blood pressure"),
}
ANCHORS = tuple(CODED)  # kinds that are Observations of their own


def observation(
    one: Reading, subject: str, parts: Mapping[VitalKind, Reading], notes: Sequence[str] = ()
) -> Json:
    """Return a reading as an Observation; `parts` are those of the same cuff at the same time."""
    coded = CODED[one.kind]
    made: Json = {
        "resourceType": "Observation",
        "id": ident(one, subject),
        "meta": {"lastUpdated": timestamp(one.stored_utc)},
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": coded.category}]}],
        "code": {"coding": [_coding(*code) for code in coded.codes]},
        "subject": {
            "type": "Patient",
            "identifier": {"system": SUBJECTS, "value": subject},
        },
        **_effective(one),
        "device": {
            "identifier": {"system": DEVICES, "value": _device(one, subject)},
            "display": coded.device,
        },
    }
    if coded.profiles:
        made["meta"]["profile"] = list(coded.profiles)
    if coded.method:
        made["method"] = {"text": coded.method}
    if notes:
        made["note"] = [{"text": note} for note in notes]
    if one.kind is SYSTOLIC:
        made["component"] = list(_components({**parts, SYSTOLIC: one}))
    else:
        made["valueQuantity"] = _quantity(one.value, coded)
    return made


def bundle(observations: Sequence[Json], base: str, url: str, following: str, now: float) -> Json:
    """Return a page of a search; `following` is the address of the next page, empty for none."""
    links = [{"relation": "self", "url": url}]
    if following:
        links.append({"relation": "next", "url": following})
    made: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "meta": {"lastUpdated": timestamp(now)},
        "link": links,
    }
    if observations:  # FHIR allows no empty list
        made["entry"] = [
            {
                "fullUrl": f"{base}/Observation/{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in observations
        ]
    return made


def outcome(code: str, text: str) -> Json:
    """Return why a request was refused; `code` is of FHIR's issue types."""
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def ident(one: Reading, subject: str) -> str:
    """Return the id of a reading: the same as long as it is stored, and no name in it."""
    kind = one.kind.value.replace("_", "-")
    return f"{subject}.{kind}.{int(one.utc * 1000)}.{_device(one, subject)}"


def kinds_of(codes: Sequence[tuple[str, str]]) -> tuple[VitalKind, ...]:
    """Return the kinds that one of some (system, code) fits; an empty system fits any."""
    return tuple(
        kind
        for kind, coded in CODED.items()
        if any(
            code == asked and system in {"", its}
            for its, code, _ in coded.codes
            for system, asked in codes
        )
    )


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


def _effective(one: Reading) -> Json:
    if one.from_utc is None:
        return {"effectiveDateTime": timestamp(one.utc)}
    return {"effectivePeriod": {"start": timestamp(one.from_utc), "end": timestamp(one.utc)}}


def _quantity(value: float | None, coded: Coded) -> Json:
    number = round(value or 0.0, DIGITS)
    return {"value": number, "unit": coded.unit, "system": UCUM, "code": coded.ucum}


def _components(parts: Mapping[VitalKind, Reading]) -> Iterator[Json]:
    """Yield the parts of a blood pressure; systolic and diastolic even where one is not known."""
    for kind, (code, display) in PARTS.items():
        part: Json = {"code": {"coding": [_coding(LOINC, code, display)]}}
        known = parts.get(kind)
        if known is not None:
            yield part | {"valueQuantity": _quantity(known.value, CODED[SYSTOLIC])}
        elif kind is not MEAN:
            yield part | {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "unknown"}]}}


def _device(one: Reading, subject: str) -> str:
    """Return a name of a device that does not tell what it is called at home."""
    return hashlib.sha256(f"{subject}\n{one.device}".encode()).hexdigest()[:8]
