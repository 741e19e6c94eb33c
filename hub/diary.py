"""The hub's log for an installer: sentences in the home's language, without endless repetition.

A trouble that goes on is logged once, then again after one, two, four minutes and so on, at most
every six hours. When it is over that is logged, and the next time it is logged at once.
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
ADVICE = {  # text within a driver's error -> key of the advice in the message file
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
    """A trouble as it was logged last, when it may be logged again, and the wait after that."""

    words: str
    again_at: float
    said: int = 0


class Diary:
    """The log of one process; `at` returns monotonic seconds."""

    def __init__(self, language: Language, at: Callable[[], float]) -> None:
        self._words, self._at = messages("hub", language, "log"), at
        self._standing: dict[str, Standing] = {}

    def note(self, event: Event) -> None:
        """Log what an event means for the people who keep the hub running; most mean nothing."""
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
        """Log what the lamp shows; return the sentence."""
        words = self._say("signal", signal)
        LOG.info("%s", words)
        return words

    def beats(self, *hung: str) -> None:
        """Log why the watchdog is not fed: the drivers that hang, or else the disk."""
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
