"""The voice process, as one more device: orders go out, facts come in, and it may die at any time.

    nobody --connects, says Hello--> speaking --no Pong for 10 s--> killed --connects--> speaking
       '--for 20 s--> the driver fails: a fault, and the door is opened anew

The hub listens on a unix socket of its own and never waits for the voice: what it cannot take at
once is let go. Whoever started the voice process (systemd, the demo) starts it again.
"""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import assert_never

from msgspec import Struct

from drivers.voicebox.peer import Peer
from hub.contract import voice
from hub.contract.forms import Name, SocketPath
from hub.contract.voice import Meaning, Part, Phrase, Pong, Trouble
from hub.core.model.driver import Port
from hub.core.model.effects import Ask, Order, Say, Show
from hub.core.model.events import Answered, Event, Measured, PartChanged, Spoke, Talking, VoiceTold
from hub.shared.unix_socket import serving

URGENT = {
    Phrase.RAISED, Phrase.UNDELIVERED, Phrase.RECEIVED, Phrase.ACCEPTED, Phrase.PRESENT,
    Phrase.CANCELLED, Phrase.CANCEL_ASKED, Phrase.HELP_NOT_NEEDED, Phrase.WARNING_OVER,
}  # fmt: skip


def voice_order(order: Order, words: Callable[[Phrase], str]) -> voice.Order | None:
    """Give what to order of the voice, None where it is no matter of its; `words` gives texts."""
    match order:
        case Show():
            return None
        case Say(phrase=phrase, text=more, receipt=receipt, urgent=urgent):
            text = " ".join(filter(None, (words(phrase), more)))
            return voice.Say(phrase, text, receipt, urgent or phrase in URGENT)
        case Ask(phrase=phrase, slow=slow):
            return voice.Ask(phrase, words(phrase), slow)
        case _:
            assert_never(order)


CHANGE_S = 5.0  # how often a part may be told to have changed
LOSS_S = 300.0  # how often it is told how much sound was let go: as the hub's own readings


class Health:
    """What is known of the parts of the voice `name`, and what of it was told."""

    def __init__(self, name: str, emit: Callable[[Event], None]) -> None:
        self._name, self._emit = name, emit
        self._parts: dict[Part, Trouble] = {}
        self._told: dict[Part, tuple[float, Trouble]] = {}
        self._lost, self._lost_at = dict.fromkeys(self._losses(Pong(0)), 0.0), -math.inf

    def change(self, trouble: Trouble) -> None:
        """Tell how a part fares, but not each flicker of it."""
        part, now = trouble.part, monotonic()
        self._parts[part] = trouble
        told_at, told = self._told.get(part, (-math.inf, None))
        if told != trouble and now - told_at >= CHANGE_S:
            self._told[part] = now, trouble
            self._emit(PartChanged(now, self._name, part, trouble.present, trouble.detail))

    def look(self) -> None:
        """Tell of the parts that changed too often to be told at once."""
        for trouble in list(self._parts.values()):
            self.change(trouble)

    def lose(self, pong: Pong) -> None:
        """Tell that it is too slow for what it hears: in a telemetry of its own, seldom."""
        lost, now = self._losses(pong), monotonic()
        if lost != self._lost and now - self._lost_at >= LOSS_S:
            self._lost, self._lost_at = lost, now
            self._emit(Measured(now, lost))

    def _losses(self, pong: Pong) -> dict[str, float]:
        return {
            f"{self._name}_ear_lost_s": pong.ear_lost_s,
            f"{self._name}_amid_lost_s": pong.amid_lost_s,
            f"{self._name}_unjudged_s": pong.unjudged_s,
        }


LOST_S = 20.0  # the issue: a voice that is gone is a fault within 30 s
PING_S = 5.0
KEPT, KEPT_S = 8, 10.0  # what is to be said while the voice is starting, and for how long
# the rest needs a question: the television may say it; of a visitor that does no harm
UNASKED = {Meaning.HELP, Meaning.VISITOR, Meaning.ALONE}
OWN_TALK = "own_"  # so begin the keys of talks that the voice itself began
TOLD_OF_OWN = {Meaning.HELP, Meaning.COUNSEL, Meaning.AWAY, Meaning.UNWELL}  # no answers to ours
STEADY_S = 15.0  # a voice that lives for less, again and again, is none


class VoiceLostError(Exception):
    """No voice process has come to the socket."""


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="voicebox", tag_field="kind"):
    """The door at which the voice process knocks."""

    socket: SocketPath = "/run/anbu/voice.sock"
    name: Name = "voice"

    @property
    def speaks(self) -> bool:
        """Whether the resident hears what is said."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the voice until cancelled.

        Raises SocketError where the socket cannot be had, VoiceLostError when nobody comes.
        """
        box = Box(self.name, port)
        path = Path(self.socket)
        async with serving(path, "voicebox", box.welcome, line_bytes=voice.LINE_BYTES):
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(box.tell())
                    group.create_task(box.watch())
            except ExceptionGroup as group:  # before 3.11.4 `except*` would wrap what it raises
                lost, rest = group.split(VoiceLostError)
                raise (lost.exceptions[0] if lost and not rest else group) from None


class Box:
    """The voice that is connected, if any, and what waits for one."""

    def __init__(self, name: str, port: Port) -> None:
        self._name, self._port = name, port
        self._peer: Peer | None = None
        self._gone_at = monotonic()
        self._began_at = self._gone_at
        self._well = False
        self._waiting: list[tuple[float, voice.Order]] = []
        self._health = Health(name, port.emit)
        self._tells_words = False

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one voice process until it leaves; a newer one takes its place."""
        peer = Peer(reader, writer)
        try:
            async for fact in peer.facts():
                self._hear(peer, fact)
        finally:
            peer.close()
            if self._peer is peer:
                self._peer = None
                self._gone_at = monotonic() if self._well else self._gone_at

    async def tell(self) -> None:
        """Hand on what the resident is to hear."""
        async for order in self._port.orders():
            word = voice_order(order, self._port.words)
            if word is None:
                continue
            if self._peer is None:
                self._waiting = [*self._waiting[-KEPT + 1 :], (monotonic(), word)]
            else:
                self._peer.send(word)

    async def watch(self) -> None:
        """Ping the voice, end one that hangs, and raise VoiceLostError where none comes."""
        while True:
            await asyncio.sleep(PING_S)
            self._look()
            peer = self._peer
            if peer is None:
                if monotonic() - self._gone_at > LOST_S:
                    message = f"no voice process for {LOST_S:.0f} s"
                    raise VoiceLostError(message)
            elif peer.hangs():
                peer.kill()
            else:
                peer.ping()

    def _look(self) -> None:
        """Believe in a voice that has lived for a while; tell of parts that changed too often."""
        if self._peer is not None and not self._well and monotonic() - self._began_at >= STEADY_S:
            self._well = True
            self._port.ready()
        self._health.look()

    def _hear(self, peer: Peer, fact: voice.Fact) -> None:
        at = monotonic()
        match fact:
            case voice.Hello():
                self._begin(peer)
                self._learn(at, fact)
            case voice.Heard():
                self._answer(at, fact)
            case voice.Talking():
                self._port.emit(Talking(at))
            case voice.Spoke(receipt=receipt, done=done):
                if receipt:
                    self._port.emit(Spoke(at, receipt, done))
            case voice.Trouble():
                self._health.change(fact)
            case voice.Pong(n=n):
                peer.answered(n)
                self._health.lose(fact)
            case _:
                assert_never(fact)

    def _answer(self, at: float, heard: voice.Heard) -> None:
        own = heard.asked.startswith(OWN_TALK)
        taken = TOLD_OF_OWN if own else set(Meaning) if heard.asked else UNASKED
        if heard.meaning in taken:
            self._port.emit(
                Answered(
                    at,
                    heard.meaning,
                    score=heard.score,
                    closes=heard.closes,
                    what=heard.what,
                    asked="" if own else heard.asked,
                    words=heard.words if self._tells_words else "",
                    wordless=heard.wordless,
                )
            )

    def _learn(self, at: float, hello: voice.Hello) -> None:
        """Tell what this voice has and may do; without its consent no words of it go further."""
        self._tells_words = hello.tells_words
        able, may = (hello.engines, hello.hears), (hello.spoken_sos, hello.tells_words)
        self._port.emit(VoiceTold(at, self._name, *able, *may))

    def _begin(self, peer: Peer) -> None:
        """Take a voice that can speak; say what waited for it, unless it is stale by now."""
        if self._peer not in {None, peer}:
            self._peer.close()
        if self._peer is not peer:
            self._peer, self._well, self._began_at = peer, False, monotonic()
            peer.ping()
        waiting, self._waiting = self._waiting, []
        for at, word in waiting:
            if monotonic() - at <= KEPT_S:
                peer.send(word)
