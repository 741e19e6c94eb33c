"""What a hub costs: time to start, memory, processor, files; after 10^5 events; per day on disk.

start     exec to the help button armed (its first level, an event of the transcript, by then in
          the engine's queue) and to READY=1, `--starts` times
idle      resident memory and processor over `--idle` seconds, linked to the broker
events    10^5 facts: glitches on three contacts, and acks of the centre for unknown alarms;
          memory after the first tenth and at the end, and open files
disk      see `bench/wear.py`
"""

import sys
import threading
import time

import msgspec
from paho.mqtt.client import Client

from bench.report import Report, arguments, percentile
from bench.rig import HUB, Finger, Rig
from hub.contract import wire
from hub.contract.messages import Ack, Stage
from hub.core.model.events import ContactChanged
from hub.process.blackbox import Entry
from tests.hub.rig import StubCenter

CONTACTS = ("help", "cord", "cancel")
GLITCH_MS = 1.0
BURST = 500


def starts(rig: Rig, count: int, report: Report) -> None:
    """Start again and again; the transcript tells when the button was armed."""
    armed, ready = list[float](), list[float]()
    for _ in range(count):
        ready.append(rig.start_hub(witness=False))
        rig.finger.close()
        rig.hub.stop()
        newest = max((rig.state_dir / "blackbox").glob("*.jsonl"))
        lines = newest.read_bytes().splitlines()[1:]
        events = (msgspec.json.decode(line, type=Entry).event for line in lines)
        first = next(e.at for e in events if isinstance(e, ContactChanged) and e.device == "help")
        armed.append(first - rig.hub.began)
    for name, times, bar in (("armed", armed, 1.5), ("READY=1", ready, 3.0)):
        report.add(f"start to {name}, median", percentile(times, 50), "s", at_most=bar)
        report.add(f"start to {name}, worst", max(times), "s", at_most=bar)


def idle(rig: Rig, seconds: float, report: Report) -> None:
    """Measure the hub while nothing happens."""
    time.sleep(5)  # it has said all that it says at start
    before, began = rig.hub.use(), time.monotonic()
    time.sleep(seconds)
    after = rig.hub.use()
    share = 100 * (after.cpu_s - before.cpu_s) / (time.monotonic() - began)
    report.add("idle, resident", after.rss_mb, "MB", at_most=40)
    report.add("idle, of a core", share, "%", at_most=1)


def flood(rig: Rig, count: int, report: Report) -> None:
    """Send half the events by presses, half by the broker.

    On a busy machine a glitch may last 20 ms and be a press: a stub of the centre takes it, since
    the broker lets only one client in under the centre's name.
    """
    with StubCenter(rig.broker) as center:
        _flood(rig, count, report, center.client)


def _flood(rig: Rig, count: int, report: Report, center: Client) -> None:
    use, early, files = rig.hub.use(), rig.hub.use(), 0
    for part in range(10):
        fingers = [threading.Thread(target=glitch, args=(rig, c, count // 120)) for c in CONTACTS]
        for finger in fingers:
            finger.start()
        for n in range(0, count // 20, BURST):
            for m in range(n, min(n + BURST, count // 20)):
                ack = Ack(f"none-{m}", f"none-{m}", Stage.CLOSED, 1, time.time())
                said = center.publish(wire.topic(HUB, "ack"), wire.encode(ack), qos=1)
            said.wait_for_publish(30)
        for finger in fingers:
            finger.join()
        use = rig.hub.use()
        early, files = (early, files) if part else (use, least_files(rig))
    report.add("facts", count, "events")
    report.add("memory, after a tenth", early.rss_mb, "MB")
    report.add("memory, growth from there", use.rss_mb - early.rss_mb, "MB", at_most=1)
    report.add("open files, growth", least_files(rig) - files, "files", at_most=0)


def least_files(rig: Rig) -> int:
    """Return the fewest files open over two seconds: a client that is just leaving is no growth."""
    fewest = rig.hub.use().files
    for _ in range(40):
        time.sleep(0.05)
        fewest = min(fewest, rig.hub.use().files)
    return fewest


def glitch(rig: Rig, contact: str, count: int) -> None:
    """Touch a contact for 1 ms, again and again: two edges each, and never a press."""
    finger = Finger(rig.folder / "house.sock")
    for _ in range(count):
        finger.press(contact, GLITCH_MS)
    finger.close()


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--events", type=int, default=100_000)
    args = parser.parse_args()
    if args.short:
        args.starts, args.idle, args.events = 3, 5.0, 12_000
    report = Report("footprint of a hub")
    with Rig() as rig:
        starts(rig, args.starts, report)
        rig.start_hub(witness=False)
        idle(rig, args.idle, report)
        flood(rig, args.events, report)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
