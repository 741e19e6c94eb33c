"""Who speaks when: one order after another, a talk turn by turn, what is urgent at once.

orders -> TaskQueue -> Say: said | Ask: a talk, act by act | Listen: one answer
heard while a question listens -> its talk; heard otherwise -> `_unasked`
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic

from hub.contract.voice import Ask, Fact, Heard, Listen, Meaning, Order, Say, Spoke, Stop, Talking
from voice.dialogue import acts
from voice.dialogue.floor import Floor
from voice.dialogue.plans import Plans
from voice.dialogue.queue import Task, TaskQueue, cuts_short, is_blunt, rank
from voice.dialogue.talk import begin, step
from voice.speaking.speech import Speech
from voice.understanding.intents import Expecting, Intent, Understood, words_of

log = logging.getLogger(__name__)
ONLY_ANSWERS = {Intent.UNCLEAR, Intent.FINE, Intent.YES, Intent.NO}  # they mean nothing unasked
OWN_TALK = "own_"  # begins the keys of talks that the voice begins
OWN = ("aside", "again")  # keys of what the voice says by itself
LOUD = 2  # the lowest rank of what is said as loud by night as by day


class Stage:
    """Runs the orders; `answer_request` does what is asked of the voice, and returns a sentence."""

    def __init__(
        self, speech: Speech, plans: Plans, tell: Callable[[Fact], None],
        answer_request: Callable[[Intent], str],
    ) -> None:  # fmt: skip
        self._speech, self._plans = speech, plans
        self._tell, self._answer_request = tell, answer_request
        self._tasks, self._news = TaskQueue(), asyncio.Event()
        self._running: Task | None = None
        self._job: asyncio.Task[bool] | None = None
        self._spoken: deque[str] = deque(maxlen=20)  # receipts of what was spoken to its end
        self.floor = Floor()
        self._last, self._answer = "", Understood()

    @property
    def idle(self) -> bool:
        """Whether nothing is said, asked, heard or waiting."""
        return not (self._running or len(self._tasks) or self.floor.taken)

    def order(self, order: Order) -> None:
        """Queue an order of the hub, or obey it at once."""
        match order:
            case Stop():
                self._drop(self._tasks.clear())
                self._cut()
            case Say(key=key, receipt=receipt) if receipt in self._spoken:
                self._tell(Spoke(key, receipt))  # the hub has not heard that it was
            case Say() | Ask() | Listen() if order != self._running:
                self._put(order)
            case _:
                pass

    def resident_talks(self, talking: bool) -> None:  # noqa: FBT001 - a fact
        """Note whether somebody is talking in the room."""
        if talking:
            self.floor.speech_began()
        self._speech.resident_talks(talking)

    def heard(self, understood: Understood, question: object = ...) -> None:
        """Use what was understood, asked for or not; UNCLEAR also where it was not judged.

        Only speech that began while `question` listened answers it (`...`: whichever listens).
        """
        self.floor.speech_over()
        if not self.floor.answer(understood, question) and understood.intent not in ONLY_ANSWERS:
            self._unasked(understood)

    def overheard(self, understood: Understood) -> None:
        """Use what was understood of a voice while we spoke: only a call for help counts."""
        if understood.intent is Intent.HELP:
            self._tell_heard(Meaning.HELP, understood)

    def forget(self) -> None:
        """Note that what somebody had begun to say was discarded: no answer comes of it."""
        self.floor.speech_over()
        self._speech.resident_talks(talking=False)

    async def run(self) -> None:
        """Perform the orders, for ever."""
        while True:
            task, gone = self._tasks.next(monotonic())
            self._drop(gone)
            if task is None:
                self._news.clear()
                await self._news.wait()
                continue
            self._running, self._job = task, asyncio.create_task(self._do(task))
            try:
                await asyncio.wait([self._job])
            finally:
                self._job.cancel()
            done = not self._job.cancelled() and self._job.result()
            self._running = self._job = None
            self._report(task, done=done)

    def _put(self, task: Task) -> None:
        self._drop(self._tasks.put(task, monotonic()))
        self._news.set()
        if self._running is not None and cuts_short(task, self._running):
            self._cut()

    def _cut(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _drop(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._report(task, done=False)

    def _report(self, task: Task, *, done: bool) -> None:
        if task.key not in OWN and not isinstance(task, Listen):
            receipt = task.receipt if isinstance(task, Say) else ""
            if receipt and done:
                self._spoken.append(receipt)
            self._tell(Spoke(task.key, receipt, done=done))

    async def _do(self, task: Task) -> bool:
        match task:
            case Say(key=key, text=text):
                self._last = text
                loud, blunt = rank(task) <= LOUD, is_blunt(task)
                return await self._speech.say(text, slow=key == "again", loud=loud, blunt=blunt)
            case Ask():
                return await self._hold(task)
            case Listen(key=key, s=s):
                found = await self.floor.hear(Expecting.CHECKIN, s)
                if isinstance(found, acts.Listened):
                    meaning = _meaning(found.understood.intent)
                    self._tell_heard(meaning or Meaning.UNCLEAR, found.understood, key)
                return True

    async def _hold(self, ask: Ask) -> bool:
        """Hold a talk to its end; False when the loudspeaker could not be heard."""
        talk, todo = begin(self._plans.for_key(ask.key, ask.text), slow=ask.slow)
        while True:
            happened = await self._perform(ask, todo)
            if happened is None or isinstance(happened, bool):
                return bool(happened is None)
            talk, todo = step(talk, happened)

    async def _perform(self, ask: Ask, todo: list[acts.Act]) -> acts.Happening | bool | None:
        """Perform the acts; return what happened, None at the end, False if we cannot be heard."""
        for act in todo:
            match act:
                case acts.Chime():
                    await self._speech.chime()
                case acts.Pause(s=s):
                    await asyncio.sleep(s)
                case acts.Speak(text=text, slow=slow):
                    self._tell(Talking(ask.key))
                    self._last = text
                    loud, blunt = rank(ask) <= LOUD, is_blunt(ask)
                    if not await self._speech.say(text, slow=slow, loud=loud, blunt=blunt):
                        return False
                case acts.Listen(expecting=expecting, s=s):
                    self._tell(Talking(ask.key))
                    return await self._answered(expecting, s)
                case acts.Tell(meaning, score, what, closes, words, wordless):
                    words, sure = words or words_of(self._answer), self._answer.sure
                    said = (meaning, ask.key, score, what, sure, closes, words, wordless)
                    self._tell(Heard(*said))
                case acts.End():
                    return None
        return acts.Finished()

    async def _answered(self, expecting: Expecting, s: float) -> acts.Happening:
        happened = await self.floor.hear(expecting, s)
        if isinstance(happened, acts.Listened):
            self._answer = happened.understood
            said = self._answer_request(happened.understood.intent)
            if said and happened.understood.intent is Intent.TIME:
                await self._speech.say(said)
        return happened

    def _unasked(self, understood: Understood) -> None:
        match understood.intent:
            case Intent.REPEAT:
                if self._last:
                    self._put(Say("again", self._last))
            case Intent.TIME | Intent.SLOWER | Intent.LOUDER as wish:
                self._put(Say("aside", self._answer_request(wish)))
            case Intent.AWAY | Intent.COUNSEL as wish:  # it may be the television's: asked back
                self._put(Ask(f"{OWN_TALK}{wish}", ""))
            case intent:
                if (meaning := _meaning(intent)) is not None:
                    self._tell_heard(meaning, understood)

    def _tell_heard(self, meaning: Meaning, said: Understood, asked: str = "") -> None:
        """Send to the hub what was meant; `asked` is the key of the question, if any."""
        told = (said.score, said.what, said.sure)
        wordless = int(said.wordless)
        self._tell(Heard(meaning, asked, *told, words=words_of(said), wordless=wordless))


def _meaning(intent: Intent) -> Meaning | None:
    """Return the hub's word for it; None where it has none."""
    return Meaning(str(intent)) if str(intent) in set(Meaning) else None
