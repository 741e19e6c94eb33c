"""docs/asyncapi.yaml says what the code does: generated, up to date, and its examples are real."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from hub.contract import asyncapi, wire
from hub.contract.examples import ALARM, FAULT, HUB

TEXT = asyncapi.DOCUMENT.read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)


def resolved(reference: dict[str, str]) -> Any:  # noqa: ANN401 - a part of a JSON document
    found: Any = DOCUMENT
    for part in reference["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def examples() -> Iterator[tuple[str, str, object]]:
    for name, channel in DOCUMENT["channels"].items():
        for kind, message in channel["messages"].items():
            for example in resolved(message)["examples"]:
                yield name, kind, example["payload"]


def test_the_document_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncapi.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_document_is_noticed_and_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asyncapi, "DOCUMENT", tmp_path / "asyncapi.yaml")
    assert asyncapi.main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert asyncapi.main([]) == 0
    assert asyncapi.main(["--check"]) == 0


def test_the_text_is_yaml_that_means_the_document() -> None:
    assert msgspec.json.decode(msgspec.json.encode(asyncapi.document())) == yaml.safe_load(TEXT)


def test_every_message_has_an_example() -> None:
    shown = {kind for _, kind, _ in examples()}
    assert shown == set(DOCUMENT["components"]["messages"])


@pytest.mark.parametrize(("channel", "kind", "payload"), [*examples()])
def test_an_example_decodes_and_encodes_to_itself(channel: str, kind: str, payload: object) -> None:
    topic = DOCUMENT["channels"][channel]["address"].format(hub=HUB, fault=FAULT)
    raw = msgspec.json.encode(payload) if payload else b""
    if DOCUMENT["operations"].get(f"send_{channel}"):
        hub, message = wire.decode_from_hub(topic, raw)
        assert hub == HUB
        again = wire.encode(message)
    else:
        message_to_hub = wire.decode_from_center(HUB, topic, raw)
        again = wire.encode(message_to_hub)
    assert (msgspec.json.decode(again) if again else "") == payload
    assert kind


@pytest.mark.parametrize(("channel", "kind", "payload"), [*examples()])
def test_an_example_satisfies_its_schema(channel: str, kind: str, payload: object) -> None:
    schema = DOCUMENT["components"]["messages"][kind]["payload"] | {
        "components": DOCUMENT["components"]
    }
    Draft202012Validator(schema).validate(payload)
    assert channel


def test_every_reference_leads_somewhere() -> None:
    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert resolved(node)
            for item in node.values():
                walk(item)
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(DOCUMENT)


def test_a_call_for_help_is_never_retained() -> None:
    operation = DOCUMENT["operations"]["send_event"]
    assert operation["bindings"]["mqtt"] == {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}


def test_every_event_carries_its_scaip_block() -> None:
    events = [payload for channel, _, payload in examples() if channel == "event"]
    assert events
    for event in events:
        assert isinstance(event, dict)
        assert set(event["data"]["scaip"]) == {"dty", "stc", "lco", "pri", "ref"}
    alarm = next(e for e in events if isinstance(e, dict) and e["type"] == "anbu.alarm.raised")
    assert alarm["id"] == alarm["data"]["alarm"] == ALARM
