"""The queue of utterances before the second pass: one at a time, and no call for help is lost.

Calls for help of the first pass come first, then answers, then what nobody asked for, that which
is most like a call before the rest. Of too many of the last kind the least like a call is dropped.

A call of the first pass is told unjudged where the judgement takes longer than `CRY_S`, raises, or
has a long queue: the hub asks back anyway.
"""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Protocol

from voice.hearing import recordings
from voice.hearing.hearing import Utterance
from voice.understanding.intents import Expecting, Intent, Understood

# Utterances that wait while nobody was asked anything; of more, the least like a call is dropped.
BABBLE = 3
QUEUE = 2  # a call for help behind more than so many is told unjudged
CRY_S = 8.0  # how long a call may wait for its judgement
CRY, ANSWER, UNASKED = range(3)  # the order in which they are judged
STUCK_S = 20.0  # a judgement that takes longer never ends

Tell = Callable[[Understood], None]


class Judge(Protocol):
    """The second pass: `voice.hearing.hearing.Hearing`."""

    def judge(self, utterance: Utterance, expecting: Expecting) -> Understood:
        """Return what was meant; takes up to 3 s."""
        ...


class JudgementQueue:
    """Judges utterances in a thread of its own; each is told once.

    `keep_in` is the folder for recordings, where the resident agrees to them.
    """

    def __init__(self, keep_in: Path | None = None) -> None:
        self._keep_in = keep_in
        self._judge: Judge | None = None
        self._thread = ThreadPoolExecutor(1, "judge")
        self._waiting: list[tuple[int, float, int, asyncio.Future[bool]]] = []
        self._since: float | None = None
        self._count = self._open = 0
        self._hopeless: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.unjudged_s = 0.0  # of speech that was dropped, or told as the first pass heard it

    @property
    def busy(self) -> bool:
        """Whether something is being judged, or waits for it."""
        return self._open > 0 or self._since is not None

    def use_judge(self, judge: Judge) -> None:
        """Use `judge` from now on; until then the result of the first pass counts."""
        self._judge = judge

    def stuck(self) -> bool:
        """Whether a judgement will never end; the calls that wait are told then."""
        stuck = self._since is not None and monotonic() - self._since > STUCK_S
        if stuck and not self._hopeless.done():
            self._hopeless.set_result(None)
        return stuck

    async def put(self, utterance: Utterance, expecting: Expecting, tell: Tell) -> None:
        """Judge it and tell; raises what the judge raises, after a call was told."""
        first, waiting = utterance.first, len(self._waiting)
        cry = first.intent is Intent.HELP
        if cry and waiting > QUEUE:
            self.unjudged_s += utterance.seconds
            tell(first)
        elif (
            not cry and expecting is Expecting.NOTHING
            and waiting >= BABBLE and not self._gives_way(utterance.near)
        ):  # fmt: skip
            self.unjudged_s += utterance.seconds
            tell(Understood())
        else:
            self._open += 1
            try:
                await self._judged(utterance, expecting, tell)
            finally:
                self._open -= 1

    async def _judged(self, utterance: Utterance, expecting: Expecting, tell: Tell) -> None:
        cry = utterance.first.intent is Intent.HELP
        work = asyncio.create_task(self._in_turn(utterance, expecting, cry=cry))
        if cry:
            both = (work, self._hopeless)
            await asyncio.wait(both, timeout=CRY_S, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() or work.exception() is not None:
                tell(utterance.first)
                await work
                return
        tell(await work)

    async def _in_turn(
        self, utterance: Utterance, expecting: Expecting, *, cry: bool
    ) -> Understood:
        loop = asyncio.get_running_loop()
        if self._since is not None:
            turn: asyncio.Future[bool] = loop.create_future()
            self._count += 1
            rank = CRY if cry else ANSWER if expecting is not Expecting.NOTHING else UNASKED
            near = utterance.near if rank == UNASKED else 0.0
            heapq.heappush(self._waiting, (rank, -near, self._count, turn))
            if not await turn:
                self.unjudged_s += utterance.seconds
                return Understood()
        self._since = monotonic()
        try:
            return await loop.run_in_executor(self._thread, self._verdict, utterance, expecting)
        finally:
            self._since = None
            while self._waiting and self._since is None:
                turn = heapq.heappop(self._waiting)[-1]
                if not turn.done():  # else it was cancelled: the process ends
                    self._since = monotonic()  # nobody comes between
                    turn.set_result(True)

    def _verdict(self, utterance: Utterance, expecting: Expecting) -> Understood:
        """Judge, in the judging thread."""
        if self._judge is None:
            return utterance.first
        understood = self._judge.judge(utterance, expecting)
        if self._keep_in is not None:
            recordings.save(self._keep_in, utterance.pcm, expecting, understood)
        return understood

    def _gives_way(self, near: float) -> bool:
        """Drop what waits and is least like a call, for an utterance that is more like one."""
        last = max(self._waiting)
        if last[0] != UNASKED or -last[1] >= near:
            return False
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        last[-1].set_result(False)
        return True
