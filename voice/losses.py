"""How much sound this machine was too slow for and has let go; told with each Pong."""

from collections.abc import Awaitable

from hub.contract.voice import Pong
from voice.hearing.ear import Ear
from voice.hearing.hearing import Utterance
from voice.hearing.overhear import Overhearing


class Losses:
    """Counts from the start of the process."""

    def __init__(self, ear: Ear, amid: Overhearing) -> None:
        self._ear, self._amid = ear, amid
        self._judged: set[int] = set()
        self._unjudged_s = 0.0

    def judged(self, utterance: Utterance) -> None:
        """Note that it is judged; from any thread."""
        self._judged.add(id(utterance))

    async def watch(self, utterance: Utterance, judging: Awaitable[None]) -> None:
        """See it through, and count it where it was let go without having been judged."""
        await judging
        if id(utterance) in self._judged:
            self._judged.discard(id(utterance))
        else:
            self._unjudged_s += utterance.seconds

    def pong(self, n: int) -> Pong:
        """Answer a ping, in seconds of sound."""
        seconds = self._ear.lost_s, self._amid.lost_s, self._unjudged_s
        return Pong(n, *(round(s, 1) for s in seconds))
