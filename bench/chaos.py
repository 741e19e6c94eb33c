"""A faulty line: the link recovers, with a call for help pending and without one.

Between hub and broker stands `tests/chaos.py`. Each trouble begins at a random moment, `--rounds`
times; the figure is the worst round:

    withheld PUBACK     neither PUBACK nor `received` arrives over the connection that there is
    withheld received   the first `received` of the centre never arrives
    black hole          nothing passes, in no direction, also not for a new connection
    half-open up/down   nothing passes in one direction
    paused broker       SIGSTOP: the kernel still takes the bytes
    reset               all connections end by RST

With a call pending: from the press, or from the end of a trouble that lets nothing through, until
the centre's `received` is in the hub. Idle: from the end of the trouble, which lasts until the hub
has noticed it, until the link stands again; a PUBACK is then withheld from a reading. A press is
in the centre's table once, however often it was sent.
"""

import random
import sys
import time
from collections.abc import Callable

from msgspec import Struct

from bench.report import Report, arguments
from bench.rig import HUB, Rig
from bench.witness import Committed
from hub.contract.messages import Stage
from hub.core.model.events import CenterAcked, LinkDown, LinkUp
from tests.chaos import Chaos, Flow
from tests.packets import Kind, Packet

PENDING_S, IDLE_S = 6.0, 20.0
NOTICED_S = 60.0
GAP_S = 0.06  # between two presses; a shorter one would be bounce


class Trouble(Struct, frozen=True):
    """One kind of trouble: how it begins and ends; a `lasting` one lets no call through."""

    name: str
    begin: Callable[[Rig, Chaos], None]
    end: Callable[[Rig, Chaos], None]
    lasting: bool = True


def flow(up: Flow, down: Flow) -> Callable[[Rig, Chaos], None]:
    """Set what passes."""

    def turn(_: Rig, line: Chaos) -> None:
        line.up, line.down = up, down

    return turn


def once(matches: Callable[[Packet], bool]) -> Callable[[Rig, Chaos], None]:
    """Lose the first packet that matches, and no other."""

    def begin(_: Rig, line: Chaos) -> None:
        already = len(line.lost)
        line.loses = lambda packet: len(line.lost) == already and matches(packet)

    return begin


def withhold_puback(_: Rig, line: Chaos) -> None:
    """Lose PUBACK and `received` until the hub connects anew."""
    before = line.connections
    line.loses = lambda packet: (
        line.connections == before and (_puback(packet) or _received(packet))
    )


def nothing(_: Rig, __: Chaos) -> None:
    """End what ends by itself."""


def _puback(packet: Packet) -> bool:
    return packet.kind is Kind.PUBACK and not packet.up


def _received(packet: Packet) -> bool:
    return not packet.up and packet.topic.endswith("/ack")


WITHHOLD_RECEIVED = once(_received)
PASSED = flow(Flow.PASSED, Flow.PASSED)
TROUBLES = (
    Trouble("withheld PUBACK", withhold_puback, nothing, lasting=False),
    Trouble("withheld received", WITHHOLD_RECEIVED, nothing, lasting=False),
    Trouble("reset", lambda _, line: line.reset(), nothing, lasting=False),
    Trouble("black hole", flow(Flow.LOST, Flow.LOST), PASSED),
    Trouble("half-open up", flow(Flow.LOST, Flow.PASSED), PASSED),
    Trouble("half-open down", flow(Flow.PASSED, Flow.LOST), PASSED),
    Trouble("paused broker", lambda rig, _: rig.broker.pause(), lambda rig, _: rig.broker.resume()),
)


def pending(rig: Rig, line: Chaos, trouble: Trouble, chance: random.Random) -> float:
    """Press amid the trouble; return the seconds until `received`."""
    trouble.begin(rig, line)
    pressed = rig.finger.press("help", 30)
    began = float(pressed["pressed_at"])
    if trouble.lasting:
        time.sleep(chance.uniform(0.1, 12.0))
        trouble.end(rig, line)
        began = time.monotonic()
    took_s = max(0.0, _received_at(rig) - began)
    rig.center.close_all()
    while not _heard_closed(rig):
        pass
    time.sleep(GAP_S)
    return took_s


def _heard_closed(rig: Rig) -> bool:
    """Whether the hub's next word from the centre is that its call is closed."""
    lines = rig.witness.until(CenterAcked, patience_s=NOTICED_S)
    return any(isinstance(x, CenterAcked) and x.stage is Stage.CLOSED for x in lines)


def _received_at(rig: Rig) -> float:
    """Return when the hub heard that its newest call is stored."""
    id_, deadline = "", time.monotonic() + NOTICED_S
    while time.monotonic() < deadline:
        for heard in rig.witness.news():
            match heard:
                case Committed(ids=(newest,)):
                    id_ = newest
                case CenterAcked(at=at, id=acked) if acked and acked == id_:
                    return at
                case _:
                    pass
        time.sleep(0.005)
    return deadline


def idle(rig: Rig, line: Chaos, trouble: Trouble, chance: random.Random) -> float:
    """Wait until the hub notices; return the seconds from the end until the link stands."""
    time.sleep(chance.uniform(0, 2))
    rig.witness.forget()
    trouble.begin(rig, line)
    began = time.monotonic()
    list(rig.witness.until(LinkDown, patience_s=NOTICED_S))
    if trouble.lasting:
        time.sleep(chance.uniform(0, 10))
        rig.witness.forget()
        trouble.end(rig, line)
        began = time.monotonic()
    last = list(rig.witness.until(LinkUp, patience_s=NOTICED_S))[-1]
    return max(0.0, last.at - began)


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    rounds = 1 if args.short else args.rounds
    chance = random.Random(args.seed)  # noqa: S311 - a choice of moments, no secret
    report = Report(f"recovery from a bad line, the worst of {rounds}, seed {args.seed}")
    presses = 0
    with Rig() as rig, Chaos(rig.broker, hub=HUB) as line:
        rig.configure(port=line.port, top="telemetry_s = 2")
        rig.center.start()
        rig.start_hub()
        list(rig.witness.until(LinkUp))
        for trouble in TROUBLES:
            worst = max(pending(rig, line, trouble, chance) for _ in range(rounds))
            presses += rounds
            report.add(f"{trouble.name}, SOS pending", worst, "s", at_most=PENDING_S)
        for trouble in TROUBLES:
            if trouble.begin is not WITHHOLD_RECEIVED and not (args.short and trouble.lasting):
                worst = max(idle(rig, line, trouble, chance) for _ in range(rounds))
                report.add(f"{trouble.name}, idle", worst, "s", at_most=IDLE_S)
        raised = [e for e in rig.center.events() if e.what in {"raised", "repeated"}]
        report.add("events of presses", len(raised), "events", at_least=presses, at_most=presses)
        twice = len(raised) - len({(e.boot, e.at) for e in raised})
        report.add("duplicates at the centre", twice, "events", at_most=0)
        folded = rig.center.metric("anbu_duplicates_total")
        report.add("sent again and folded", folded, "events")
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
