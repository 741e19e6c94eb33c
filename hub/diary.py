"""What an installer reads in the hub's log: sentences in the home's language, and none for ever.

What goes on being wrong is said once, then again after a minute, two, four, at most every six
hours; what is well again ends it, and the next time it is said at once.
"""

import logging
import re
from collections.abc import Callable

from msgspec import Struct

from hub.core.model.effects import Signal
from hub.core.model.events import (
    BrokerRefused,
    DriverFailed,
    DriverReady,
    Event,
    LinkDown,
    LinkUp,
    StorageFailed,
    StorageRecovered,
)
from hub.shared.backoff import exponential_s
from hub.shared.language import Language
from hub.shared.messages import messages

LOG = logging.getLogger("anbu")
AGAIN_S, LONGEST_S = 60.0, 6 * 3600.0
LINK, DISK, BROKER, HEART = "link", "disk", "broker", "heart"  # a device has its own name
CLASS = re.compile(r"^\w+(Error|Exception): ")
ADVICE = {  # what a driver's complaint has in it -> the advice of the message file
    "No module named": "library",
    "busy": "busy",
    "Permission": "permission",
    "permission": "permission",
    "gpiochip": "permission",
    "GPIO": "pin",
    "voice": "voice",
    "battery": "battery",
}


class Standing(Struct):
    """What is wrong, as it was said last; when it may be said again, and how often it was said."""

    words: str
    again_at: float
    said: int = 0


class Diary:
    """The log of one process; `at` gives monotonic seconds."""

    def __init__(self, language: Language, at: Callable[[], float]) -> None:
        self._words, self._at = messages("log", language), at
        self._standing: dict[str, Standing] = {}

    def note(self, event: Event) -> None:
        """Write down what an event means for whoever keeps the hub running, if it is of that."""
        match event:
            case LinkUp(broker=broker):
                self._well(LINK, self._say("link", "up", broker=broker), first=True)
            case LinkDown(trouble=trouble):
                self._wrong(LINK, self._say("link", trouble))
            case BrokerRefused():
                self._wrong(BROKER, self._say("link", "message_refused"))
            case StorageFailed(trouble=trouble):
                self._wrong(DISK, self._say("disk", trouble))
            case StorageRecovered():
                self._well(DISK, self._say("disk", "well"))
            case DriverFailed(device=device, reason=reason):
                self._wrong(f"device {device}", self._failed(device, reason))
            case DriverReady(device=device):
                self._well(f"device {device}", self._say("device", "well", device=device))
            case _:
                pass

    def shows(self, signal: Signal) -> str:
        """Write down what the lamp shows; give the sentence."""
        words = self._say("signal", signal)
        LOG.info("%s", words)
        return words

    def beats(self, *hung: str) -> None:
        """Write down why the watchdog is not fed: drivers that hang, or else the disk."""
        names = ", ".join(hung)
        self._wrong(HEART, self._say("heart", "hung" if hung else "disk", devices=names))

    def _failed(self, device: str, reason: str) -> str:
        found = (advice for mark, advice in ADVICE.items() if mark in reason)
        advice, why = self._say("advice", next(found, "other")), CLASS.sub("", reason)
        return self._say("device", "failed", device=device, reason=why, advice=advice)

    def _wrong(self, what: str, words: str) -> None:
        at, known = self._at(), self._standing.get(what)
        if known is None or known.words != words:
            known = self._standing[what] = Standing(words, at)
        if at >= known.again_at:
            LOG.warning("%s", words)
            known.said += 1
            known.again_at = at + exponential_s(known.said, first_s=AGAIN_S, longest_s=LONGEST_S)

    def _well(self, what: str, words: str, *, first: bool = False) -> None:
        if self._standing.pop(what, None) or first:
            LOG.info("%s", words)

    def _say(self, table: str, key: str, **values: object) -> str:
        return self._words[table][key].format(**values)
