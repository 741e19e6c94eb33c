"""Notifications to systemd: READY, STATUS, WATCHDOG. The only importer of `systemd.daemon`.

`WATCHDOG=1` is sent only by `pet`, the effect of a heartbeat that passed through engine and outbox.
Without a `NOTIFY_SOCKET` nothing is sent. `notify` blocks while systemd does not read (a dozen
messages fill the socket) and holds the GIL meanwhile, so that a thread would not help: it is called
only when the socket has room.
"""

import os
import select
import socket

from systemd import daemon  # type: ignore[attr-defined]  # our folder systemd/ hides its stubs

_UNSAID: list[str] = []


def ready() -> None:
    """Report that the help button works; with no room now, the next `pet` reports it."""
    if not _say("READY=1"):
        _UNSAID.append("READY=1")


def status(text: str) -> None:
    """Set the line that `systemctl status` shows."""
    _say(f"STATUS={text}")


def stopping() -> None:
    """Report that the process was asked to stop."""
    _say("STOPPING=1")


def pet() -> None:
    """Tell the watchdog that the hub works."""
    while _UNSAID and _say(_UNSAID[0]):
        _UNSAID.pop(0)
    _say("WATCHDOG=1")


def interval_s(default_s: float = 5.0) -> float:
    """Return the seconds between heartbeats: a sixth of systemd's limit, at most `default_s`."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return min(default_s, int(usec) / 6e6) if usec.isdigit() and int(usec) else default_s


def _say(words: str) -> bool:
    """Send to systemd; False when there was no room, True also without a `NOTIFY_SOCKET`."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path is None:
        return True
    return _has_room(path) and bool(daemon.notify(words))


def _has_room(path: str) -> bool:
    """Whether systemd's socket accepts another message; one that is full or gone does not."""
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        try:
            sock.connect(address)
        except OSError:
            return False
        return bool(select.select((), (sock,), (), 0)[1])
