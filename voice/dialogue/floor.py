"""Who has the floor: whether somebody talks in the room, and the answer that is waited for."""

import asyncio
from time import monotonic

from voice.dialogue import acts
from voice.understanding.intents import Expecting, Understood

LATEST_S = 12.0  # who has begun to speak in time is heard to the end, at most so long


class Floor:
    """Follows who talks in the room, from what the capture tells."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[Understood] | None = None
        self._spoken_to: asyncio.Future[Understood] | None = None
        self._talked_until = 0.0
        self.expecting = Expecting.NOTHING

    @property
    def taken(self) -> bool:
        """Whether somebody talks, or has just talked and is not understood yet."""
        return monotonic() < self._talked_until

    def speech_began(self) -> None:
        """Note that somebody begins to talk; after a cough, this is soon forgotten."""
        self._talked_until = monotonic() + LATEST_S
        self._spoken_to = self._answer

    def speech_over(self) -> None:
        """Note that what was said is understood, or discarded."""
        self._talked_until = 0.0

    def asked(self) -> tuple[object, Expecting]:
        """Return the question that stood when the speech began, and what was expected then."""
        stands = self._spoken_to is not None and self._spoken_to is self._answer
        return self._spoken_to, self.expecting if stands else Expecting.NOTHING

    def answer(self, understood: Understood, question: object = ...) -> bool:
        """Accept it as the answer; False when none is waited for, or none to this question."""
        if self._answer is None or self._answer.done():
            return False
        if question is not ... and question is not self._answer:
            return False
        self._answer.set_result(understood)
        return True

    async def hear(self, expecting: Expecting, s: float) -> acts.Listened | acts.Silence:
        """Wait for an answer; who has begun to speak within `s` seconds is heard to the end."""
        self._answer = asyncio.get_running_loop().create_future()
        self.expecting = expecting
        try:
            found, _ = await asyncio.wait([self._answer], timeout=s)
            if not found and self.taken:
                found, _ = await asyncio.wait([self._answer], timeout=LATEST_S)
            return acts.Listened(self._answer.result()) if found else acts.Silence()
        finally:
            self.expecting = Expecting.NOTHING
            self._answer = None
