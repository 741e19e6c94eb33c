"""systemd's ear: READY, STATUS, WATCHDOG. The only importer of `systemd.daemon`.

`WATCHDOG=1` is sent only by `pet`, the effect of a heartbeat that went the whole way; without a
`NOTIFY_SOCKET` all of it is silent. `notify` blocks while systemd does not read (a dozen words
fill its socket) and holds the GIL meanwhile, so a word that would have to wait is not said: no
call for help waits for systemd's ear.
"""

import os
import select
import socket
from contextlib import suppress

from systemd import daemon  # type: ignore[attr-defined]  # our folder systemd/ hides its stubs


def ready() -> None:
    """Say that the help button is armed."""
    _say("READY=1")


def status(text: str) -> None:
    """Set the line that `systemctl status` shows."""
    _say(f"STATUS={text}")


def stopping() -> None:
    """Say that the end is wanted."""
    _say("STOPPING=1")


def pet() -> None:
    """Feed the watchdog."""
    _say("WATCHDOG=1")


def interval_s(default_s: float = 5.0) -> float:
    """Give how often to look after oneself: a sixth of systemd's patience, `default_s` at most."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return min(default_s, int(usec) / 6e6) if usec.isdigit() and int(usec) else default_s


def _say(word: str) -> None:
    path = os.environ.get("NOTIFY_SOCKET", "")
    with suppress(OSError):  # systemd that starts anew is deaf for a moment
        if path and _takes_a_word(path):
            daemon.notify(word)


def _takes_a_word(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.settimeout(0)
        ear.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        return bool(select.select([], [ear], [], 0)[1])
