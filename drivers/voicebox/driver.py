"""The voice process as a device: orders go out, facts come in, and it may die at any time.

    nobody --connects, sends Hello--> speaking --no Pong for 10 s--> killed --connects--> speaking
       '--for 20 s--> the driver fails: a fault, and the socket is made again

The hub listens on a unix socket of its own and never waits for the voice: orders that the voice
does not read are dropped. Whoever started the voice process (systemd, the demo) starts it again.
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
from hub.core.model.effects import Ask, OpenPairing, Order, PairingAnswer, Say, Show, Took
from hub.core.model.events import Answered, Event, Measured, PartChanged, Spoke, Talking, VoiceTold
from hub.shared.unix_socket import serving

CHANGE_S = 5.0  # the shortest time between two reports of one part
LOSS_S = 300.0  # between two reports of lost sound: as often as the hub's own readings
LOST_S = 20.0  # a missing voice must be a fault within 30 s
PING_S = 5.0
KEPT, KEPT_S = 8, 10.0  # orders kept while the voice is starting, and for how long
# All other meanings need a question: a television may say them. A visitor does no harm.
UNASKED = {Meaning.HELP, Meaning.VISITOR, Meaning.ALONE}
OWN_TALK = "own_"  # the keys of talks that the voice itself began start with this
TOLD_OF_OWN = {Meaning.HELP, Meaning.COUNSEL, Meaning.AWAY, Meaning.UNWELL}  # no answers to ours
STEADY_S = 15.0  # a voice that dies sooner, again and again, counts as missing
URGENT = {
    Phrase.RAISED, Phrase.UNDELIVERED, Phrase.RECEIVED, Phrase.ACCEPTED, Phrase.PRESENT,
    Phrase.CANCELLED, Phrase.CANCEL_ASKED, Phrase.HELP_NOT_NEEDED, Phrase.WARNING_OVER,
}  # fmt: skip


def voice_order(order: Order, words: Callable[[Phrase], str]) -> voice.Order | None:
    """Return the order for the voice, None for an order to other devices; `words` has the texts."""
    match order:
        case Show() | Took() | OpenPairing() | PairingAnswer():
            return None
        case Say(phrase=phrase, text=more, receipt=receipt, urgent=urgent):
            text = " ".join(filter(None, (words(phrase), more)))
            return voice.Say(phrase, text, receipt, urgent or phrase in URGENT)
        case Ask(phrase=phrase, slow=slow):
            return voice.Ask(phrase, words(phrase), slow)
        case _:
            assert_never(order)


class PartsReport:
    """Reports how the parts of the voice `name` work, but not each short change."""

    def __init__(self, name: str, emit: Callable[[Event], None]) -> None:
        self._name, self._emit = name, emit
        self._parts: dict[Part, Trouble] = {}
        self._told: dict[Part, tuple[float, Trouble]] = {}
        self._lost, self._lost_at = dict.fromkeys(self._losses(Pong(0)), 0.0), -math.inf

    def change(self, trouble: Trouble) -> None:
        """Report a part's state, at most every 5 s for each part."""
        part, now = trouble.part, monotonic()
        self._parts[part] = trouble
        told_at, told = self._told.get(part, (-math.inf, None))
        if told != trouble and now - told_at >= CHANGE_S:
            self._told[part] = now, trouble
            self._emit(PartChanged(now, self._name, part, trouble.present, trouble.detail))

    def look(self) -> None:
        """Report the parts whose changes came too often to be reported at once."""
        for trouble in list(self._parts.values()):
            self.change(trouble)

    def lose(self, pong: Pong) -> None:
        """Report sound that the voice was too slow for, as telemetry, at most every 5 minutes."""
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


class VoiceLostError(Exception):
    """No voice process has come to the socket."""


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="voicebox", tag_field="kind"):
    """The socket to which the voice process connects."""

    socket: SocketPath = "/run/anbu/voice.sock"
    name: Name = "voice"

    @property
    def speaks(self) -> bool:
        """Whether the resident hears what is said."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the voice until cancelled.

        Raises SocketError when the socket cannot be made, VoiceLostError when no voice connects.
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
    """The connected voice, if any, and the orders that wait for one."""

    def __init__(self, name: str, port: Port) -> None:
        self._name, self._port = name, port
        self._peer: Peer | None = None
        self._gone_at = monotonic()
        self._began_at = self._gone_at
        self._well = False
        self._waiting: list[tuple[float, voice.Order]] = []
        self._parts = PartsReport(name, port.emit)
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
        """Send the voice what the resident is to hear."""
        async for order in self._port.orders():
            word = voice_order(order, self._port.words)
            if word is None:
                continue
            if self._peer is None:
                self._waiting = [*self._waiting[-KEPT + 1 :], (monotonic(), word)]
            else:
                self._peer.send(word)

    async def watch(self) -> None:
        """Ping the voice, kill one that hangs, and raise VoiceLostError when none connects."""
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
        """Report ready when the voice has lived for 15 s; report parts that changed too often."""
        if self._peer is not None and not self._well and monotonic() - self._began_at >= STEADY_S:
            self._well = True
            self._port.ready()
        self._parts.look()

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
                self._parts.change(fact)
            case voice.Pong(n=n):
                peer.answered(n)
                self._parts.lose(fact)
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
        """Report what this voice has and may do; without consent its words are not passed on."""
        self._tells_words = hello.tells_words
        able, may = (hello.engines, hello.hears), (hello.spoken_sos, hello.tells_words)
        self._port.emit(VoiceTold(at, self._name, *able, *may))

    def _begin(self, peer: Peer) -> None:
        """Accept a voice that can speak; send it the orders that waited, if not too old."""
        if self._peer not in {None, peer}:
            self._peer.close()
        if self._peer is not peer:
            self._peer, self._well, self._began_at = peer, False, monotonic()
            peer.ping()
        waiting, self._waiting = self._waiting, []
        for at, word in waiting:
            if monotonic() - at <= KEPT_S:
                peer.send(word)
