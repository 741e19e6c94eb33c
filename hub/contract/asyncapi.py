"""The wire as a document, docs/asyncapi.yaml.

`python -m hub.contract.asyncapi` writes it; with `--check` it compares. Everything in it is taken
from `hub/contract/wire.py` and its messages; nothing is written twice.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from hub.contract import examples, messages, wire
from hub.contract.messages import Cleared, FromCenter, FromHub

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
Json = dict[str, object]
REFUSAL = 1
YAML_WORDS = {"on", "off", "yes", "no", "y", "n", "true", "false", "null"}


class Channel(Struct, frozen=True):
    """A topic: who publishes there, and whether the broker keeps the last message."""

    topic: str
    summary: str
    messages: tuple[type[Struct], ...]
    by_hub: bool = True
    retain: bool = False
    qos: int = 1


CHANNELS: dict[str, Channel] = {
    "state": Channel(
        wire.topic("{hub}", "state"),
        "The hub's state, renewed at least every interval_s; the last will says `lost`.",
        (messages.HubState,),
        retain=True,
    ),
    "event": Channel(
        wire.topic("{hub}", "event"),
        "What happened to an alarm, a check-in or an announcement; what the resident needs: sent"
        " again until the ack `received`. And technical reports. `id` is the idempotency key.",
        get_args(messages.Happened),
    ),
    "fault": Channel(
        wire.topic("{hub}", "fault", "{fault}"),
        "A fault while it lasts; an empty payload says that it is over.",
        (messages.FaultReport, messages.Cleared),
        retain=True,
    ),
    "telemetry": Channel(
        wire.topic("{hub}", "telemetry"),
        "Batched readings; the oldest are dropped and counted when the hub's disk share is full.",
        (messages.Telemetry,),
    ),
    "activity": Channel(
        wire.topic("{hub}", "activity"), "An hour of the home.", (messages.Activity,)),
    "vitals": Channel(
        wire.topic("{hub}", "vitals"),
        "Readings of the body: summaries, and at once what a cuff or an oximeter has measured.",
        (messages.Vitals,),
    ),
    "install": Channel(
        wire.topic("{hub}", "install"),
        "What the hub shows of itself while it is installed: at each change and every 5 s, for as"
        " long as the last command `install_follow` said. Nothing depends on it.",
        (messages.InstallReport,),
        qos=0,
    ),
    "reply": Channel(
        wire.topic("{hub}", "reply"), "What became of a command.", (messages.Reply,)),
    "ack": Channel(
        wire.topic("{hub}", "ack"),
        "`received` only after the centre has stored the event; then how far the alarm has come.",
        (messages.Ack,),
        by_hub=False,
    ),
    "cmd": Channel(
        wire.topic("{hub}", "cmd"),
        "What the centre asks for: it expires, and its counter only rises.",
        (messages.Command,),
        by_hub=False,
    ),
    "center": Channel(
        wire.CENTER_TOPIC,
        "The centre's birth and, by last will, its death; at a birth hubs say their state again.",
        (messages.CenterState,),
        by_hub=False,
        retain=True,
    ),
}  # fmt: skip


def document() -> Json:
    """Return the whole AsyncAPI 3 document."""
    kinds = [kind for channel in CHANNELS.values() for kind in channel.messages]
    shapes = [kind for kind in kinds if kind is not Cleared]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for schema in schemas.values():  # Python 3.13 indents docstrings otherwise than 3.11
        schema["description"] = " ".join(schema.get("description", "").split())
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {"county": _server()},
        "channels": {name: _channel(channel) for name, channel in CHANNELS.items()},
        "operations": {
            f"{'send' if channel.by_hub else 'receive'}_{name}": _operation(name, channel)
            for name, channel in CHANNELS.items()
        },
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in kinds},
            "schemas": schemas,
            "securitySchemes": {"certificate": {"type": "X509"}},
        },
    }


def write_yaml(value: object, indent: str = "") -> Iterator[str]:
    """Yield the lines of `value` as YAML in block style; scalars are JSON, which YAML contains."""
    pairs: list[tuple[str, object]] = []
    if isinstance(value, dict):
        pairs = [(f"{key if _is_plain(key) else json.dumps(key)}:", value[key]) for key in value]
    elif isinstance(value, list):
        pairs = [("-", item) for item in value]
    for mark, item in pairs:
        if isinstance(item, dict | list) and item:
            yield f"{indent}{mark}"
            yield from write_yaml(item, indent + "  ")
        else:
            yield f"{indent}{mark} {json.dumps(item, ensure_ascii=False)}"


def _is_plain(key: str) -> bool:
    """Whether YAML 1.1 takes a key for the text that it is, unquoted: `on` is true there."""
    return key.isidentifier() and key.lower() not in YAML_WORDS


def main(argv: Sequence[str]) -> int:
    """Write the document, or with `--check` say whether it is up to date."""
    header = "# Generated by `python -m hub.contract.asyncapi`; do not edit."
    text = "\n".join([header, *write_yaml(document())]) + "\n"
    if "--check" not in argv:
        DOCUMENT.write_text(text, encoding="utf-8")
        return 0
    if DOCUMENT.is_file() and DOCUMENT.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{DOCUMENT.name} is stale: run python -m hub.contract.asyncapi\n")
    return REFUSAL


def _info() -> Json:
    return {
        "title": "Anbu Hub",
        "version": f"{wire.VERSION}.0.0",
        "description": "What a hub and the control centre say to each other over MQTT 5."
        " A reader ignores fields that it does not know, keeps values that it does not know, and"
        " of a message with missing or wrong fields it reads the rest; a call is never refused."
        f" No payload is larger than {wire.MAX_BYTES} bytes."
        " Each event carries a `scaip` block (SS 91100, CLC TS 50134-9).",
        "license": {"name": "Apache-2.0"},
    }


def _server() -> Json:
    return {
        "host": "broker.example:8883",
        "protocol": "secure-mqtt",
        "protocolVersion": "5",
        "description": "TLS 1.2 or later; the common name of the client's certificate is the hub.",
        "security": [{"$ref": "#/components/securitySchemes/certificate"}],
    }


def _channel(channel: Channel) -> Json:
    said = {kind.__name__: _ref("messages", kind.__name__) for kind in channel.messages}
    known = {"hub": "The hub's id.", "fault": "The fault's id, unique in the hub."}
    named = {name: {"description": text} for name, text in known.items()
             if f"{{{name}}}" in channel.topic}  # fmt: skip
    found: Json = {"address": channel.topic, "description": channel.summary, "messages": said}
    return found | ({"parameters": named} if named else {})


def _operation(name: str, channel: Channel) -> Json:
    return {
        "action": "send" if channel.by_hub else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {
            "mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}
        },
    }


def _message(kind: type[Struct]) -> Json:
    said = [m for ms in examples.from_hub().values() for m in ms]
    heard = [m for ms in examples.from_center().values() for m in ms]
    every: list[FromHub | FromCenter] = [*said, *heard]
    empty: Json = {"type": "string", "maxLength": 0}
    return {
        "summary": (kind.__doc__ or "").split("\n", 1)[0].replace("`", ""),
        "payload": empty if kind is Cleared else _ref("schemas", kind.__name__),
        "examples": [{"payload": _json(message)} for message in every if type(message) is kind],
    }


def _json(message: FromHub | FromCenter) -> object:
    encoded = wire.encode(message)
    return json.loads(encoded) if encoded else ""


def _ref(part: str, name: str) -> Json:
    return {"$ref": f"#/components/{part}/{name}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
