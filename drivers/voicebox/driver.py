"""The voice process as a device: what the resident hears goes out, what was meant comes in.

The socket, and what happens when the voice dies or hangs: `hub.shared.sidecar`.
"""

import string
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import assert_never

from msgspec import Struct

from hub.contract import voice
from hub.contract.forms import Name, SocketPath
from hub.contract.voice import Meaning, Part, Phrase, Pong, Trouble
from hub.core.model.driver import Port
from hub.core.model.effects import (
    Ask,
    BeginAnew,
    OpenHotspot,
    OpenPairing,
    Order,
    PairingAnswer,
    Say,
    Show,
    Took,
)
from hub.core.model.events import Answered, Measured, PartChanged, Spoke, Talking, VoiceTold
from hub.shared.sidecar.host import Host, Patience
from hub.shared.sidecar.reports import Damped

PATIENCE = Patience()
CHANGE_S = 5.0  # the shortest time between two reports of one part
LOSS_S = 300.0  # between two reports of lost sound: as often as the hub's own readings
# All other meanings need a question: a television may say them. A visitor does no harm.
UNASKED = {Meaning.HELP, Meaning.VISITOR, Meaning.ALONE}
OWN_TALK = "own_"  # the keys of talks that the voice itself began start with this
TOLD_OF_OWN = {Meaning.HELP, Meaning.COUNSEL, Meaning.AWAY, Meaning.UNWELL}  # no answers to ours
URGENT = {
    Phrase.RAISED, Phrase.UNDELIVERED, Phrase.RECEIVED, Phrase.ACCEPTED, Phrase.PRESENT,
    Phrase.UNCLAIMED, Phrase.OTHER_BOARD,
    Phrase.CANCELLED, Phrase.CANCEL_ASKED, Phrase.HELP_NOT_NEEDED, Phrase.WARNING_OVER,
}  # fmt: skip
WITH_DIGITS = {
    Phrase.PAIRING_COMPARE, Phrase.PAIRING_SHOW, Phrase.UNCLAIMED_DIGITS, Phrase.HOTSPOT_OPEN,
}  # fmt: skip
GROUP = 3  # digits between two pauses: so many are held in mind at once
HALVES = 8  # so many digits are shown, and said, in two halves


def spelt(number: str, words: Sequence[str]) -> str:
    """Return a number digit by digit, in groups with a pause between; `words` are those for 0 to 9.

    Without ten words the digits stay as they are.
    """
    spoken = len(words) == len(string.digits) and number.isdecimal()
    said = [words[int(d)] for d in number] if spoken else list(number)
    size = HALVES // 2 if len(said) == HALVES else GROUP
    groups = (said[at : at + size] for at in range(0, len(said), size))
    return " ".join(f"{', '.join(group)}." for group in groups)


def voice_order(order: Order, words: Callable[[Phrase], str]) -> voice.Order | None:
    """Return the order for the voice, None for an order to other devices; `words` has the texts."""
    match order:
        case Show() | Took() | OpenPairing() | PairingAnswer() | OpenHotspot() | BeginAnew():
            return None
        case Say(phrase=phrase, text=more, receipt=receipt, urgent=urgent):
            if phrase in WITH_DIGITS:
                more = spelt(more, words(Phrase.DIGITS).split())
            text = " ".join(filter(None, (words(phrase), more)))
            return voice.Say(phrase, text, receipt, urgent or phrase in URGENT)
        case Ask(phrase=phrase, slow=slow):
            return voice.Ask(phrase, words(phrase), slow)
        case _:
            assert_never(order)


class ProcessLostError(Exception):
    """No voice process has come to the socket."""


class Driver(Struct, frozen=True, forbid_unknown_fields=True, tag="voicebox", tag_field="kind"):
    """The socket to which the voice process connects."""

    socket: SocketPath = "/run/anbu/voice.sock"
    name: Name = "voice"

    @property
    def speaks(self) -> bool:
        """Whether the resident hears what is said."""
        return True

    @property
    def is_beside(self) -> bool:
        """Whether it is a process of its own, for which the hub does not wait."""
        return True

    async def run(self, port: Port) -> None:
        """Serve the voice until cancelled.

        Raises SocketError when the socket cannot be made, ProcessLostError when no voice connects.
        """
        await Voice(self.name, port).serve(Path(self.socket))


class Voice:
    """The voice process, and what the hub makes of its facts."""

    def __init__(self, name: str, port: Port) -> None:
        self._name, self._port = name, port
        self._parts = Damped(self._tell_part, lambda: CHANGE_S)
        self._losses = Damped(self._tell_losses, lambda: LOSS_S)
        self._losses.assume(name, self._lost(Pong(0)))
        self._tells_words = False

    async def serve(self, path: Path) -> None:
        """Serve until cancelled. Raises SocketError or ProcessLostError."""
        await Host("voice", voice.VOCABULARY, self, PATIENCE).serve(path, self._orders())

    def look(self) -> None:
        """Report parts that changed too often to be reported at once."""
        self._parts.look()

    def ready(self) -> None:
        """Report that the voice works."""
        self._port.ready()

    def lost(self, reason: str) -> None:
        """Fail: the socket is made anew. Raises ProcessLostError."""
        raise ProcessLostError(reason)

    async def _orders(self) -> AsyncIterator[voice.Order]:
        """Yield what the resident is to hear."""
        async for order in self._port.orders():
            word = voice_order(order, self._port.words)
            if word is not None:
                yield word

    def hear(self, fact: voice.Fact) -> None:
        """Make an event of a fact."""
        at = monotonic()
        match fact:
            case voice.Hello():
                self._learn(at, fact)
            case voice.Heard():
                self._answer(at, fact)
            case voice.Talking():
                self._port.emit(Talking(at))
            case voice.Spoke(receipt=receipt, done=done):
                if receipt:
                    self._port.emit(Spoke(at, receipt, done))
            case voice.Trouble():
                self._parts.change(fact.part, fact)
            case voice.Pong():
                self._losses.change(self._name, self._lost(fact))
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

    def _tell_part(self, part: Part, trouble: Trouble) -> None:
        changed = PartChanged(monotonic(), self._name, part, trouble.present, trouble.detail)
        self._port.emit(changed)

    def _tell_losses(self, _: str, lost: dict[str, float]) -> None:
        """Report sound that the voice was too slow for, as telemetry."""
        self._port.emit(Measured(monotonic(), lost))

    def _lost(self, pong: Pong) -> dict[str, float]:
        return {
            f"{self._name}_ear_lost_s": pong.ear_lost_s,
            f"{self._name}_amid_lost_s": pong.amid_lost_s,
            f"{self._name}_unjudged_s": pong.unjudged_s,
        }
