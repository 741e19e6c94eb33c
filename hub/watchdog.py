"""systemd's ear: READY, STATUS, WATCHDOG. The only importer of `systemd.daemon`.

`WATCHDOG=1` is sent only by `pet`, the effect of a heartbeat that went the whole way; without a
`NOTIFY_SOCKET` all of it is silent. `notify` blocks while systemd does not read (a dozen words
fill the socket), so it has a thread of its own: no call for help waits for systemd's ear.
"""

import os
import threading
from contextlib import suppress
from functools import cache
from queue import SimpleQueue

from systemd import daemon  # type: ignore[attr-defined]  # our folder systemd/ hides its stubs

UNSAID = 16  # what waits longer than this many words is old news


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
    if "NOTIFY_SOCKET" in os.environ and _mouth().qsize() < UNSAID:
        _mouth().put(word)


@cache
def _mouth() -> "SimpleQueue[str]":
    words: SimpleQueue[str] = SimpleQueue()

    def speak() -> None:
        while True:
            with suppress(OSError):  # systemd that starts anew is deaf for a moment
                daemon.notify(words.get())

    threading.Thread(target=speak, name="anbu-notify", daemon=True).start()
    return words
