"""A county that has outgrown one Mosquitto: three NATS JetStream nodes, over MQTT 3.1.1.

Presses reach the centre's table over the cluster; then the node that the hub is on is killed, and
presses are made until one has come through. Needs `nats-server` (a Debian package), which nothing
else here does: without it the bench says so and measures nothing. Plain TCP on loopback; what is
measured is the hub's walk along its list of brokers and the cluster's own election, not TLS.
"""

import re
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.child import Child
from bench.report import Report, arguments
from bench.rig import Rig
from tests.broker import free_port, wait_until

NODES = 3
ELECTION_S = 120.0
GAP_S = 0.06  # a finger lifts for this long, or two presses are one that bounced
CONFIG = """\
server_name: n{n}
listen: "127.0.0.1:{client}"
jetstream {{ store_dir: "{folder}/js{n}" }}
cluster {{ name: anbu, listen: "127.0.0.1:{route}", routes: [{routes}] }}
mqtt {{ listen: "127.0.0.1:{mqtt}" }}
"""


def cluster(folder: Path, ending: ExitStack) -> tuple[list[Child], list[int]]:
    """Start the nodes; return them and the ports of their MQTT listeners."""
    routes = [free_port() for _ in range(NODES)]
    ports = [free_port() for _ in range(NODES)]
    urls = ", ".join(f"nats-route://127.0.0.1:{port}" for port in routes)
    nodes = []
    for n, (route, mqtt) in enumerate(zip(routes, ports, strict=True)):
        config = folder / f"n{n}.conf"
        text = CONFIG.format(
            n=n, client=free_port(), route=route, routes=urls, mqtt=mqtt, folder=folder
        )
        config.write_text(text, encoding="utf-8")
        node = Child("nats-server", "-c", str(config), log=folder / f"n{n}.log")
        ending.callback(node.stop)
        nodes.append(node)
    return nodes, ports


def move(rig: Rig, ports: list[int]) -> None:
    """Make hub and centre use the cluster instead of Mosquitto."""
    brokers = ", ".join(f'"tcp://127.0.0.1:{port}"' for port in ports)
    for name in ("hub.toml", "center.toml"):
        path = rig.folder / name
        text = path.read_text(encoding="utf-8")
        moved = f'brokers = [{brokers}]\nprotocol = "3.1.1"'
        path.write_text(re.sub(r"^brokers = .*$", moved, text, flags=re.MULTILINE), "utf-8")


def press(rig: Rig, patience_s: float) -> float:
    """Press once; return the seconds until the press is in the centre's table."""
    before = len(rig.center.rows())
    time.sleep(GAP_S)
    began = time.monotonic()
    rig.finger.press("help")
    wait_until(lambda: len(rig.center.rows()) > before, "the press is stored", patience_s)
    return time.monotonic() - began


def measure(report: Report, presses: int) -> None:
    """Press over the cluster, kill the hub's node, press again."""
    with Rig() as rig, ExitStack() as ending:
        nodes, ports = cluster(rig.folder, ending)
        move(rig, ports)
        rig.center.start(patience_s=ELECTION_S)
        rig.start_hub()
        press(rig, ELECTION_S)
        report.spread("press to the centre's table", [press(rig, 30.0) for _ in range(presses)])
        nodes[0].kill()  # the first in both lists
        after_s = press(rig, ELECTION_S)
        report.add("one node killed, the next press stored after", after_s, "s")
        told = len(rig.center.rows())
        report.add("presses made, less presses stored", presses + 2 - told, "calls", at_most=0)


def main() -> int:
    """Run the bench."""
    args = arguments(__doc__).parse_args()
    report = Report("a cluster of three NATS nodes instead of one Mosquitto (MQTT 3.1.1)")
    if shutil.which("nats-server"):
        measure(report, 20 if args.short else 200)
    else:
        report.notes.append("nats-server is not installed: nothing was measured")
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
