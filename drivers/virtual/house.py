"""The inside of the virtual house: the contacts to press, and what is seen and heard."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic
from typing import Any

from drivers.virtual.pins import HousePin, beeping, pattern
from drivers.virtual.sensors import Sensors
from drivers.virtual.wireless import Devices
from hub.contract.voice import Meaning
from hub.core.model.effects import Ask, Order, Say, Show, Signal
from hub.core.model.events import Answered

SAID_KEPT = 10
ANSWERS_S = 60.0  # a question waits so long for an answer (`CareRules.answer_s`)
LOOK_SETTLES_S = 0.05  # the time that a lamp has to follow its order
PULSE_S = 5.0  # `watch` is answered this often without a change, to show a living house

Answer = dict[str, Any]


class Refusal(StrEnum):
    """Why a request was refused."""

    BAD_REQUEST = "bad_request"
    LINE_TOO_LONG = "line_too_long"
    UNKNOWN_CONTACT = "unknown_contact"
    NOT_A_CONTACT = "not_a_contact"
    ALREADY_PRESSED = "already_pressed"
    NOT_PRESSED = "not_pressed"
    UNKNOWN_SENSOR = "unknown_sensor"
    NO_RADIO = "no_radio"


class Refused(Exception):  # noqa: N818 - an answer to a client, not a failure of the house
    """A refused request: the answer says why, for programs and in words."""

    def __init__(self, refusal: Refusal, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.answer: Answer = {"ok": False, "error": refusal, "detail": detail, **more}


class House:
    """The contacts, the lamps, and what the hub has shown and said."""

    def __init__(
        self,
        contacts: dict[str, HousePin],
        lamps: dict[str, HousePin],
        phrases: dict[str, str],
        sensors: Sensors,
    ) -> None:
        self._watchers: set[asyncio.Event] = set()
        self._contacts = contacts
        self._lamps = lamps
        self._phrases = phrases
        self.sensors = sensors
        self.wireless = Devices()
        self.wireless.changed = self.look
        self._signal: Signal | None = None
        self._signal_at = 0.0
        self._said: deque[tuple[float, Say | Ask]] = deque(maxlen=SAID_KEPT)
        self.hears: Callable[[Answered], None] | None = None  # the hub, while it runs
        self._asked = ("", 0.0)  # the question that waits for an answer, and since when

    def listen(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Notice every edge from now on, in whatever thread it happens; with None, no more."""
        if loop is None:
            self.sensors.rest()

        def heard() -> None:
            if loop is not None:
                loop.call_soon_threadsafe(self.look)

        pins = (*self._contacts.values(), *self._lamps.values(), *self.sensors.pins.values())
        for pin in pins:
            pin.heard = heard if loop is not None else None

    def note(self, order: Order) -> None:
        """Note what the resident is shown and told."""
        if isinstance(order, Say | Ask):
            self._said.append((monotonic(), order))
            if isinstance(order, Ask):
                self._asked = (order.phrase.value, monotonic())
        elif isinstance(order, Show) and order.signal != self._signal:
            self._signal, self._signal_at = order.signal, monotonic()
        self.look()

    def look(self) -> None:
        """Wake the clients that watch."""
        for watcher in self._watchers:
            watcher.set()

    async def press(self, what: str, ms: float | None) -> Answer:
        """Press for `ms` milliseconds, or hold; return the monotonic times of the edges."""
        pin = self._contact(what)
        if pin.finger:
            raise Refused(Refusal.ALREADY_PRESSED, f"{what} is pressed already")
        answer = {"ok": True, "what": what, "pressed_at": pin.press()}
        if ms is None:
            return answer
        try:
            await asyncio.sleep(ms / 1000)
        finally:
            released_at = pin.release()
        return answer | {"released_at": released_at}

    def release(self, what: str) -> Answer:
        """Release a contact; return the monotonic time of the edge."""
        pin = self._contact(what)
        if not pin.finger:
            raise Refused(Refusal.NOT_PRESSED, f"{what} is not pressed")
        return {"ok": True, "what": what, "released_at": pin.release()}

    def speak(self, meaning: Meaning, score: int) -> Answer:
        """Emit what the resident says, as the answer to a question that was asked just now.

        Without a running hub nothing happens.
        """
        (asked, since), self._asked = self._asked, ("", 0.0)
        asked = asked if monotonic() < since + ANSWERS_S else ""
        if self.hears is not None:
            self.hears(Answered(monotonic(), meaning, score=score, asked=asked))
        return {"ok": True, "what": meaning}

    def _contact(self, what: str) -> HousePin:
        pin = self._contacts.get(what)
        if pin is None:
            known = sorted(self._contacts)
            detail = f"no contact {what[:40]!r} here; there are: {', '.join(known) or 'none'}"
            raise Refused(Refusal.UNKNOWN_CONTACT, detail, known=known)
        if pin.function != "input":
            raise Refused(Refusal.NOT_A_CONTACT, f"{what} shares its pin with a lamp")
        return pin

    def seen(self) -> Answer:
        """Return what the pins do now, and what the hub has shown and said."""
        now = monotonic()
        return {
            "ok": True,
            "lamps": {name: self._lamp(name, now) for name in self._lamps},
            "contacts": {name: pin.finger for name, pin in self._contacts.items()},
            "sensors": self.sensors.seen(),
            "wireless": self.wireless.seen(),
            "signal": self._signal,
            "signal_age_s": None if self._signal is None else round(now - self._signal_at, 3),
            "said": [self._spoken(say, now - at) for at, say in self._said],
        }

    def _lamp(self, name: str, now: float) -> Answer:
        pin = self._lamps[name]
        edges = list(pin.history)
        seen = pattern(edges, self._signal_at + LOOK_SETTLES_S, now)
        return {
            "on": bool(pin.state),
            "pattern": beeping(edges, now) if name == "buzzer" else seen,
            "age_s": round(now - edges[-1].at, 3) if edges else None,
        }

    def _spoken(self, say: Say | Ask, age_s: float) -> Answer:
        text = (say.text if isinstance(say, Say) else "") or self._phrases.get(
            say.phrase, say.phrase
        )
        return {"phrase": say.phrase, "text": text, "age_s": round(age_s, 3)}

    async def changes(self) -> AsyncGenerator[Answer, None]:
        """Yield what is seen: now, after every change, and every 5 s."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                changed.clear()
                yield self.seen()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE_S):
                        await changed.wait()
        finally:
            self._watchers.discard(changed)
