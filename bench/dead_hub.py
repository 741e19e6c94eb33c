"""A hub that hangs: how soon the centre's API, and so its page, shows it as lost.

The hub is stopped by SIGSTOP, which leaves its connections open, as a frozen kernel or a pulled
plug behind a NAT would. Two ways to the truth: the broker's last will (1.5 x keepalive), and, with
the broker's word withheld (`--silent`: the line to the broker is cut behind a proxy that keeps the
broker's side alive), the centre's own count of missed states (3 x 30 s at most 80 s).
"""

import signal
import sys
import time

from bench.report import Report, arguments
from bench.rig import HUB, Rig
from hub.core.model.events import LinkUp
from tests.broker import wait_until

BAR_S = 90.0


def seen(rig: Rig) -> str:
    """Ask the centre how it sees the hub."""
    hubs = {hub["hub"]: hub for hub in rig.center.ask("GET", "/api/hubs")["hubs"]}
    return str(hubs[HUB]["seen"]) if HUB in hubs else ""


def until_lost(rig: Rig) -> float:
    """Stop the hub; return the seconds until it is seen as lost."""
    wait_until(lambda: seen(rig) == "ready", "the hub is seen as ready", 30)
    rig.hub.send(signal.SIGSTOP)
    began = time.monotonic()
    wait_until(lambda: seen(rig) == "lost", "the hub is seen as lost", 2 * BAR_S)
    return time.monotonic() - began


def until_back(rig: Rig) -> float:
    """Resume the hub; return the seconds until it is seen as ready."""
    rig.hub.send(signal.SIGCONT)
    began = time.monotonic()
    wait_until(lambda: seen(rig) == "ready", "the hub is seen as ready again", 60)
    return time.monotonic() - began


def main() -> int:
    """Run the bench."""
    args = arguments(__doc__).parse_args()
    report = Report("a hub under SIGSTOP, at the centre's API")
    with Rig() as rig:
        rig.center.start()
        rig.start_hub()
        list(rig.witness.until(LinkUp))
        for turn in range(1 if args.short else 3):
            report.add(f"lost, seen after ({turn + 1})", until_lost(rig), "s", at_most=BAR_S)
            report.add(f"back, seen after ({turn + 1})", until_back(rig), "s", at_most=BAR_S)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
