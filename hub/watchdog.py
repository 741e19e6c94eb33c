"""systemd's ear: READY, STATUS, WATCHDOG. The only importer of `systemd.daemon`.

`WATCHDOG=1` is sent only by `pet`, the effect of a heartbeat that went the whole way; without a
`NOTIFY_SOCKET` all of it is silent.
"""

import os

from systemd import daemon  # type: ignore[attr-defined]  # our folder systemd/ hides its stubs


def ready() -> None:
    """Say that the help button is armed."""
    daemon.notify("READY=1")


def status(text: str) -> None:
    """Set the line that `systemctl status` shows."""
    daemon.notify(f"STATUS={text}")


def stopping() -> None:
    """Say that the end is wanted."""
    daemon.notify("STOPPING=1")


def pet() -> None:
    """Feed the watchdog."""
    daemon.notify("WATCHDOG=1")


def interval_s(default_s: float = 5.0) -> float:
    """Give how often to look after oneself: a sixth of systemd's patience, `default_s` at most."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return min(default_s, int(usec) / 6e6) if usec.isdigit() and int(usec) else default_s
