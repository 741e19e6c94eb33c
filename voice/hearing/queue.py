"""Who is judged when: one at a time, a cry first, then answers, and a cry is never lost.

Words that nobody asked for come by how like a call they are; what is let go is the least like one.

What the first pass took for a call for help is told as that when judging takes longer than
`CRY_S`, raises, or has a long queue: the hub asks back anyway.
"""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from voice.hearing.hearing import Utterance
from voice.understanding.understand import Expecting, Intent, Understood

BABBLE = 3  # utterances that wait to be judged while nobody was asked anything; of more, those
# that are least like a call are let go
QUEUE = 2  # with more than so many waiting a cry is told unjudged
CRY_S = 8.0  # how long a cry may wait for its judgement
CRY, ANSWER, WORDS = range(3)  # who waits comes in this order
STUCK_S = 20.0  # a judgement that takes longer never ends


class Judging:
    """The queue before `judge`, which runs in a thread; `tell` takes what came of it, once each."""

    def __init__(
        self, judge: Callable[[Utterance, Expecting], Understood],
        tell: Callable[[Understood, object], None],
    ) -> None:  # fmt: skip
        self._judge, self._tell = judge, tell
        self._thread = ThreadPoolExecutor(1, "judge")
        self._waiting: list[tuple[int, float, int, asyncio.Future[bool]]] = []
        self._since: float | None = None
        self._count = self._open = 0
        self._hopeless: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def busy(self) -> bool:
        """Tell whether something is being judged, or waits for it."""
        return self._open > 0 or self._since is not None

    def stuck(self) -> bool:
        """Tell whether a judgement will never end; whoever waits with a cry then tells it."""
        stuck = self._since is not None and monotonic() - self._since > STUCK_S
        if stuck and not self._hopeless.done():
            self._hopeless.set_result(None)
        return stuck

    async def take(self, utterance: Utterance, expecting: Expecting, question: object) -> None:
        """Judge it and tell; raises what the judge raises, a cry is told before."""
        first, waiting = utterance.first, len(self._waiting)
        cry = first.intent is Intent.HELP
        if cry and waiting > QUEUE:
            self._tell(first, question)
        elif (
            not cry and expecting is Expecting.NOTHING
            and waiting >= BABBLE and not self._gives_way(utterance.near)
        ):  # fmt: skip
            self._tell(Understood(), question)
        else:
            self._open += 1
            try:
                await self._judged(utterance, expecting, question)
            finally:
                self._open -= 1

    async def _judged(self, utterance: Utterance, expecting: Expecting, question: object) -> None:
        cry = utterance.first.intent is Intent.HELP
        work = asyncio.create_task(self._in_turn(utterance, expecting, cry=cry))
        if cry:
            both = (work, self._hopeless)
            await asyncio.wait(both, timeout=CRY_S, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() or work.exception() is not None:
                self._tell(utterance.first, question)
                await work
                return
        self._tell(await work, question)

    async def _in_turn(
        self, utterance: Utterance, expecting: Expecting, *, cry: bool
    ) -> Understood:
        loop = asyncio.get_running_loop()
        if self._since is not None:
            turn: asyncio.Future[bool] = loop.create_future()
            self._count += 1
            rank = CRY if cry else ANSWER if expecting is not Expecting.NOTHING else WORDS
            near = utterance.near if rank == WORDS else 0.0
            heapq.heappush(self._waiting, (rank, -near, self._count, turn))
            if not await turn:
                return Understood()
        self._since = monotonic()
        try:
            return await loop.run_in_executor(self._thread, self._judge, utterance, expecting)
        finally:
            self._since = None
            while self._waiting and self._since is None:
                turn = heapq.heappop(self._waiting)[-1]
                if not turn.done():  # else it was cancelled: all ends
                    self._since = monotonic()  # nobody comes between
                    turn.set_result(True)

    def _gives_way(self, near: float) -> bool:
        """Let go of who waits and is least like a call, for one that is more like it."""
        last = max(self._waiting)
        if last[0] != WORDS or -last[1] >= near:
            return False
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        last[-1].set_result(False)
        return True
