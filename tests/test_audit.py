"""The judge of bandit's and pip-audit's findings: nothing passes without a reason."""

import json

from tests.audit import faults, judged

CALL = {"test": "B603", "where": "voice/speaking/espeak.py", "text": "line 39: subprocess"}
FIXED = {"test": "B603", "files": ["voice/*"], "reason": "a fixed program"}


def test_a_finding_without_an_acceptance_is_told() -> None:
    assert list(judged([CALL], [], "test")) == [
        "B603 voice/speaking/espeak.py: line 39: subprocess"
    ]
    elsewhere = {**FIXED, "files": ["hub/*"]}
    assert len(list(judged([CALL], [elsewhere], "test"))) == 2  # and the acceptance fits nothing


def test_an_accepted_finding_is_not_told_again() -> None:
    assert not list(judged([CALL], [FIXED], "test"))


def test_an_acceptance_needs_a_reason_and_a_finding() -> None:
    assert list(judged([CALL], [{**FIXED, "reason": " "}], "test"))
    assert list(judged([], [FIXED], "test"))


def test_a_service_that_knows_nothing_is_no_clean_result() -> None:
    silent = [{"name": "msgspec", "skip_reason": "not found"}]
    asked = [{"name": "paho-mqtt", "version": "2.2.0", "vulns": []}]
    assert faults("") is None
    assert faults(json.dumps({"dependencies": silent})) is None
    assert faults(json.dumps({"dependencies": asked})) == []
    partly = faults(json.dumps({"dependencies": silent + asked}))
    assert partly
    assert list(judged(partly, [], "id")) == ["unasked msgspec: not found"]


def test_a_known_fault_is_told_by_its_library() -> None:
    bad = {"name": "certifi", "version": "1", "vulns": [{"id": "PYSEC-1"}]}
    found = faults(json.dumps({"dependencies": [bad]}))
    assert found
    assert list(judged(found, [], "id")) == ["PYSEC-1 certifi: in 1"]
    accepted = {"id": "PYSEC-1", "library": "certifi", "reason": "not reached"}
    assert not list(judged(found, [accepted], "id"))
