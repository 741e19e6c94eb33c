"""From a finger to the centre, beyond the 20 ms for which a press must last to be one.

1,000 presses, each a new alarm, in the virtual house of a real hub process: TLS with a certificate
per hub, real Mosquitto, the real centre with its own database; all on this machine. Times are
CLOCK_MONOTONIC, which all processes share:

    edge       the level of the simulated pin changes (`pressed_at` of the virtual house)
    commit     `Outbox.commit` has returned in the outbox's thread (`bench/witness.py`)
    PUBACK     the hub's loop takes it as a fact (`BrokerAcked.at`)
    received   the hub's loop takes the centre's word as a fact (`CenterAcked.at`)

The floor is measured between the presses: one SQLite FULL commit of a message, then a bare paho
QoS 1 publish of the same size over the same TLS to the same broker, until paho's `on_publish`.

`--subscriber`: instead of the centre a plain MQTT subscriber in this process, which answers
`received`; until its `on_message`, beside the same floor. What people would use instead, without
TLS and without disk: Home Assistant p50 3.9-4.3 ms, p99 7.5-10 ms; Node-RED p50 2.6-3.0 ms, p99
7-8 ms.
"""

import sys
import time

from bench.floor import Floor
from bench.listener import Listener
from bench.report import Report, arguments, percentile
from bench.rig import Rig
from bench.witness import Committed, Line
from hub.core.model.events import BrokerAcked, CenterAcked, LinkUp

SETTLE_S = 0.020
PRESS_MS = 30.0
GAP_S = 0.06  # a shorter one would be bounce
FLOOR_ID = "js-0002"


class Press:
    """One press, and when each stage was reached, in monotonic seconds."""

    def __init__(self, edge_at: float) -> None:
        self.due_at = edge_at + SETTLE_S
        self.commit = self.puback = self.received = 0.0
        self.id = ""

    def note(self, line: Line) -> None:
        """Note a line of the witness."""
        match line:
            case Committed(at=at, ids=(id_,)) if not self.id:
                self.id, self.commit = id_, at - self.due_at
            case BrokerAcked(at=at, id=id_) if id_ == self.id:
                self.puback = at - self.due_at
            case CenterAcked(at=at, id=id_) if id_ and id_ == self.id:
                self.received = at - self.due_at
            case _:
                pass

    @property
    def done(self) -> bool:
        """Whether all stages are reached."""
        return bool(self.commit and self.puback and self.received)


def press(rig: Rig) -> Press:
    """Press once and wait for the last stage."""
    pressed = rig.finger.press("help", PRESS_MS)
    one = Press(pressed["pressed_at"])
    deadline = time.monotonic() + 15
    while not one.done:
        if time.monotonic() > deadline:
            message = f"a press was not answered: {vars(one)}"
            raise TimeoutError(message)
        for line in rig.witness.news():
            one.note(line)
        time.sleep(0.004)
    time.sleep(max(0.0, pressed["released_at"] + GAP_S - time.monotonic()))
    return one


def to_center(rig: Rig, count: int) -> Report:
    """Measure up to the real centre."""
    rig.center.start()
    rig.start_hub()
    list(rig.witness.until(LinkUp))
    report = Report(f"press -> centre, {count} presses, ms beyond the confirmation of 20 ms")
    presses = list[Press]()
    with Floor(rig.broker, FLOOR_ID, rig.folder) as floor:
        for _ in range(count):
            presses.append(press(rig))
            rig.center.close_all()
            floor.measure()
    pubacks = [p.puback for p in presses]
    report.spread("edge -> commit", [p.commit for p in presses], {"p99": 10}, floor.commits)
    report.spread("edge -> PUBACK", pubacks, {"p99": 15}, floor.pubacks)
    report.spread("edge -> received", [p.received for p in presses], {"p99": 25})
    ratio = percentile(pubacks, 50) / percentile(floor.pubacks, 50)
    report.add("edge -> PUBACK p50 / floor", ratio, "x floor", at_most=1.5, hard=False)
    events = list(rig.center.events())
    report.add("events at the centre", len(events), "events", at_least=count, at_most=count)
    return report


def to_subscriber(rig: Rig, count: int) -> Report:
    """Measure up to a plain MQTT subscriber."""
    rig.start_hub()
    list(rig.witness.until(LinkUp))
    report = Report(f"press -> subscriber, {count} presses, ms beyond the confirmation of 20 ms")
    presses = list[Press]()
    with Listener(rig.broker) as listener, Floor(rig.broker, FLOOR_ID, rig.folder) as floor:
        for _ in range(count):
            presses.append(press(rig))
            floor.measure()
    times = [listener.heard[p.id] - p.due_at for p in presses]
    report.spread("press -> subscriber", times, {"p50": 2.5, "p99": 6}, floor.pubacks)
    report.add("heard", len(listener.heard), "events", at_least=count, at_most=count)
    return report


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--subscriber", action="store_true", help="a plain subscriber instead")
    parser.add_argument("--count", type=int, default=0, help="how many presses")
    args = parser.parse_args()
    count = args.count or (30 if args.short else 1000)
    with Rig() as rig:
        report = (to_subscriber if args.subscriber else to_center)(rig, count)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
