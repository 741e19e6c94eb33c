"""72 hours without a broker, with telemetry and a burst of faults; then a real broker appears.

Time is simulated: the real engine, outbox and SQLite file are driven by a clock of this bench, one
step per event (a heartbeat every 5 s, telemetry every 60 s, a call for help every hour, and 10,000
messages of faults at once). Then the clock goes on in real time and the hub's own link dials a real
Mosquitto with the real centre behind it; the backlog drains, and amid the drain somebody presses.

Counted: calls and faults that the centre has (all), telemetry dropped (the oldest, and told), the
memory's growth over the 72 hours, messages per second, and from the press to `received`.
"""

import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec

from bench.outage import RULES, Hub
from bench.report import Report, arguments
from bench.rig import HUB, Rig
from hub.contract.messages import Availability, Telemetry
from hub.contract.wire import LinkTrouble
from hub.core.model.effects import Lane
from hub.core.model.events import ContactChanged
from hub.core.supervision import faults
from hub.link.reconnect import Link
from hub.link.session import Listener, MqttSettings
from hub.shared.system import rss_mb

ROWS = 2000  # telemetry that the outbox keeps by default
DRAIN_S = 120.0


class Counting:
    """A listener between the link and the delivery that counts PUBACKs."""

    def __init__(self, delivery: Listener) -> None:
        self._delivery = delivery
        self.acks, self.up_at = 0, 0.0
        self.acked_at: dict[str, float] = {}

    def link_up(self, broker: str) -> None:
        """Pass it on; note when."""
        self.up_at = time.monotonic()
        self._delivery.link_up(broker)

    def link_down(self, trouble: LinkTrouble) -> None:
        """Pass it on."""
        self._delivery.link_down(trouble)

    def acked(self, id_: str, *, refused: bool) -> None:
        """Pass it on, and count it."""
        self.acks += 1
        self.acked_at.setdefault(id_, time.monotonic())
        self._delivery.acked(id_, refused=refused)

    def arrived(self, topic: str, payload: bytes) -> None:
        """Pass it on."""
        self._delivery.arrived(topic, payload)


def backlog(path: Path) -> dict[Lane, list[bytes]]:
    """Read what waits on the disk, in order, by lane."""
    waiting: dict[Lane, list[bytes]] = {lane: [] for lane in Lane}
    with closing(sqlite3.connect(path)) as db:
        for lane, payload in db.execute("SELECT lane, payload FROM message ORDER BY n"):
            waiting[Lane(lane)].append(payload)
    return waiting


async def until(condition: object, what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + DRAIN_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.005)


async def outage(hub: Hub, path: Path, hours: int, faults: int, report: Report) -> int:
    """Run the outage; return how many messages wait at its end."""
    await hub.begin()
    await hub.hours(1, 0)
    before = rss_mb()
    await hub.hours(hours - 1, faults)
    await hub.engine.flush()
    waiting = backlog(path)
    told = [msgspec.json.decode(p, type=Telemetry) for p in waiting[Lane.TELEMETRY]]
    kept, presses = len(told), len(hub.world.called)
    report.add("memory growth", rss_mb() - before, "MB", at_most=10)
    report.add("calls waiting", len(waiting[Lane.SOS]), "calls", at_least=presses, at_most=presses)
    made = faults // 2 // 20 * 40
    report.add("faults waiting", len(waiting[Lane.FAULT]), "msgs", at_least=made, at_most=made)
    report.add("telemetry waiting", kept, "msgs", at_most=ROWS)
    gone = len(hub.measured) - kept
    counted = hub.outbox.dropped
    report.add("telemetry dropped, counted", counted, "msgs", at_least=gone, at_most=gone)
    older = sum(a != b.utc for a, b in zip(hub.measured[gone:], told, strict=True))
    report.add("dropped though newer than one kept", older, "msgs", at_most=0)
    return sum(map(len, waiting.values()))


async def drain(hub: Hub, rig: Rig, waiting: int, report: Report) -> None:
    """Bring the link up; press when half of the backlog is gone."""
    hub.world.wake()
    certs = rig.broker.certs
    name = str(certs / "hubs" / HUB)
    broker = f"tls://127.0.0.1:{rig.broker.port}"
    settings = MqttSettings((broker,), str(certs / "ca.crt"), f"{name}.crt", f"{name}.key")
    counting = Counting(hub.engine.delivery)

    def will() -> bytes:
        at, state = hub.world.at(), hub.engine.state
        return faults.state_message(state, Availability.LOST, at, RULES).payload

    link = hub.engine.delivery.carrier = Link(settings, HUB, counting, will)
    tasks = [asyncio.ensure_future(hub.engine.run()), asyncio.ensure_future(link.run())]
    await until(lambda: counting.acks >= waiting / 2, "half of the backlog")
    before, at = len(hub.world.called), hub.world.at() + RULES.press_settle_s
    began = time.monotonic() + RULES.press_settle_s
    hub.engine.emit(ContactChanged(hub.world.at(), "help", closed=True))
    await until(lambda: len(hub.world.called) > before, "the press is a call")
    hub.engine.emit(ContactChanged(hub.world.at(), "help", closed=False))
    await until(lambda: hub.world.called[before] in hub.world.received, "the press is received")
    amid = waiting - counting.acks
    await until(lambda: counting.acks >= waiting, "the whole backlog")
    took_s = time.monotonic() - counting.up_at
    report.add("drain", waiting / took_s, "msg/s", at_least=200)
    report.add("still waiting when the press was received", amid, "msgs", at_least=1)
    waited_s = hub.world.received[hub.world.called[before]] - at
    sent_s = counting.acked_at[hub.world.called[before]] - began
    report.add("press amid the drain, to PUBACK", sent_s, "s", at_most=1)
    report.add("press amid the drain, to `received`", waited_s, "s", at_most=1)
    await until(lambda: set(hub.world.called) <= set(hub.world.received), "all received")
    for task in tasks:
        task.cancel()
    hub.outbox.close()


async def run(rig: Rig, hours: int, faults: int, report: Report) -> None:
    """Outage, then drain, then the centre's own count."""
    path = rig.state_dir / "outbox.db"
    hub = Hub(path, ROWS)
    waiting = await outage(hub, path, hours, faults, report)
    await drain(hub, rig, waiting, report)
    called, there = set(hub.world.called), {id_ for id_, _ in rig.center.rows()}
    report.add("calls lost", len(called - there), "calls", at_most=0)


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--faults", type=int, default=10_000)
    args = parser.parse_args()
    if args.short:
        args.hours, args.faults = 4, 1000
    report = Report(f"{args.hours} h offline, a burst of {args.faults} faults")
    with Rig() as rig:
        rig.center.start()
        asyncio.run(run(rig, args.hours, args.faults, report))
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
