"""A million malformed messages: each is understood or refused, and nothing else happens.

Random bytes, valid messages with bytes turned, cut, doubled or spliced, and with the worst tokens
of JSON put in; on right, wrong and random topics; read as the hub and as the centre. What a hub
understands is also decided upon and packed for the snapshot. Only `RefusedError` may come of it.
"""

import random
import re
import sys
import time
from collections import Counter

import msgspec

from bench.report import Report, arguments
from hub.contract import wire
from hub.contract.examples import HUB, UTC, from_center, from_hub
from hub.contract.messages import Ack, Command, FromCenter
from hub.core.decide import decide, recover
from hub.core.model.events import (
    CenterAcked,
    CommandReceived,
    ContactChanged,
    Event,
    Started,
    Ticked,
)
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import HomeState

FULL, SHORT = 1_000_000, 20_000
RULES = Rules(hub=HUB, buttons={"help": Button(Role.HELP_BUTTON)})
VALUE = re.compile(rb'":[^,}]*')
PACK = msgspec.msgpack.Encoder().encode
TOKENS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"null", b"true", b"{}",
    b"9" * 30, b"-" + b"9" * 30, b"9" * 5000, b"0." + b"9" * 5000, b"18446744073709551616",
    b"9007199254740991", b"2147483647", b"-1", b"[" * 3000, b"[" * 6000 + b"]" * 6000,
    b'{"a":' * 2000, b'"\\ud800"', b'"\\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf",
    b'"version":3,"version":4', b'"stage":"unknown"', b'"stage":"closed"', b"[]", b"\x00",
    b'"' + b"x" * 17_000 + b'"',
)  # fmt: skip
PARTS = ("anbu", "1", "2", HUB, "js-0002", "", "+", "#", "event", "state", "fault", "telemetry",
         "reply", "ack", "cmd", "center", "\x00", "안부", "f" * 300)  # fmt: skip


class Forge:
    """Makes cases from one seed, so that each can be made again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._valid = [
            *((_topic(c, m), wire.encode(m)) for c, sent in from_hub().items() for m in sent),
            *((_topic(c, m), wire.encode(m)) for c, sent in from_center().items() for m in sent),
        ]

    def case(self) -> tuple[str, bytes]:
        """Return one topic and payload."""
        topic, payload = self._random.choice(self._valid)
        if self._random.random() < 0.15:
            payload = self._random.randbytes(self._random.randrange(200))
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 5))):
            payload = self._turn(payload)
        return (topic if self._random.random() < 0.8 else self._any_topic(topic)), payload

    def _turn(self, payload: bytes) -> bytes:
        pick = self._random.randrange
        a, b = sorted((pick(len(payload) + 1), pick(len(payload) + 1)))
        match pick(6):
            case 0:
                return payload[:a] + bytes([pick(256)]) + payload[a + 1 :]
            case 1:
                return payload[:a]
            case 2:
                return payload[:b] + payload[a:]
            case 3:
                other = self._random.choice(self._valid)[1]
                return payload[:a] + other[pick(len(other) + 1) :]
            case 4:
                return payload[:a] + self._random.choice(TOKENS) + payload[b:]
            case _:
                return self._value(payload)

    def _value(self, payload: bytes) -> bytes:
        """Put a token in the place of one value."""
        values = [found.span() for found in VALUE.finditer(payload)]
        if not values:
            return payload
        begin, end = self._random.choice(values)
        return payload[: begin + 2] + self._random.choice(TOKENS) + payload[end:]

    def _any_topic(self, topic: str) -> str:
        if self._random.random() < 0.5:
            parts = topic.split("/")
            parts[self._random.randrange(len(parts))] = self._random.choice(PARTS)
            return "/".join(parts)
        return "/".join(self._random.choice(PARTS) for _ in range(self._random.randrange(1, 7)))


def run(cases: int, seed: int = 1) -> Counter[str]:
    """Try `cases` cases; count what became of them. Whatever else is raised is a finding."""
    forge, found, state = Forge(seed), Counter[str](), _calling()
    for _ in range(cases):
        topic, payload = forge.case()
        try:
            found[f"hub: {type(wire.decode_from_hub(topic, payload)[1]).__name__}"] += 1
        except wire.RefusedError as refused:
            found[f"hub: {refused.reason}"] += 1
        try:
            message = wire.decode_from_center(HUB, topic, payload)
        except wire.RefusedError as refused:
            found[f"centre: {refused.reason}"] += 1
            continue
        found[f"centre: {type(message).__name__}"] += 1
        PACK(decide(state, _fact(message), RULES)[0])
    return found


def _topic(channel: str, message: object) -> str:
    if channel == "center":
        return wire.CENTER_TOPIC
    fault = getattr(message, "fault", "")
    return wire.topic(HUB, channel, *([fault] if fault else []))


def _fact(message: FromCenter) -> Event:
    match message:
        case Ack(event=event, alarm=alarm, stage=stage, version=version, who=who):
            return CenterAcked(20.0, event, alarm, stage, version, who)
        case Command():
            return CommandReceived(20.0, UTC, message)
        case _:
            return Ticked(20.0)


def _calling() -> HomeState:
    """Return a home with an alarm whose id the examples use."""
    started = Started(0.0, UTC, synced=True, boot="5f0c2a1b")
    state = recover(HomeState(order=6), started, [])
    for event in (ContactChanged(10.0, "help", closed=True), Ticked(10.02)):
        state, _ = decide(state, event, RULES)
    return state


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, default=0, help="how many cases")
    parser.add_argument("--seed", type=int, default=1, help="which cases")
    args = parser.parse_args()
    count = args.count or (SHORT if args.short else FULL)
    began = time.monotonic()
    found = run(count, args.seed)
    report = Report(f"{count} bad messages, each read as hub and as centre; seed {args.seed}")
    report.add("read", found.total(), "messages", at_least=2 * count)
    for what, times in sorted(found.items()):
        report.add(what, times, "messages")
    report.add("speed", count / (time.monotonic() - began), "cases/s", hard=False)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
