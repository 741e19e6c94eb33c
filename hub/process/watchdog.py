"""systemd's ear: READY, STATUS, WATCHDOG. The only importer of `systemd.daemon`.

`WATCHDOG=1` is sent only by `pet`, the effect of a heartbeat that went the whole way; without a
`NOTIFY_SOCKET` all of it is silent. `notify` blocks while systemd does not read (a dozen words fill
the socket) and holds Python's lock meanwhile, so that not even a thread of its own would help: it
is called only when there is room.
"""

import os
import select
import socket

from systemd import daemon  # type: ignore[attr-defined]  # our folder systemd/ hides its stubs

_UNSAID: list[str] = []


def ready() -> None:
    """Say that the help button is armed; what finds no room now is said with the next `pet`."""
    if not _say("READY=1"):
        _UNSAID.append("READY=1")


def status(text: str) -> None:
    """Set the line that `systemctl status` shows."""
    _say(f"STATUS={text}")


def stopping() -> None:
    """Say that the end is wanted."""
    _say("STOPPING=1")


def pet() -> None:
    """Feed the watchdog."""
    while _UNSAID and _say(_UNSAID[0]):
        _UNSAID.pop(0)
    _say("WATCHDOG=1")


def interval_s(default_s: float = 5.0) -> float:
    """Give how often to look after oneself: a sixth of systemd's patience, `default_s` at most."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return min(default_s, int(usec) / 6e6) if usec.isdigit() and int(usec) else default_s


def _say(words: str) -> bool:
    """Tell systemd; False when there was no room, True also where nobody listens."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path is None:
        return True
    return _has_room(path) and bool(daemon.notify(words))


def _has_room(path: str) -> bool:
    """Tell whether systemd's socket takes another word; one that is full or gone does not."""
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.settimeout(0)
        try:
            ear.connect(address)
        except OSError:
            return False
        return bool(select.select((), (ear,), (), 0)[1])
