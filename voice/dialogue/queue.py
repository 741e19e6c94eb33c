"""What is still to be said, in order; pure.

Sentences of an alarm go first, then the question whether help is needed, then warnings and urgent
announcements, then all else. A sentence that waits already is not added again, and what has waited
too long is dropped.
"""

from collections import deque

from msgspec import Struct

from hub.contract.voice import Ask, Listen, Say

Task = Say | Ask | Listen
ALARM = {
    "raised", "undelivered", "received", "accepted", "present", "closed", "cancelled",
    "cancel_asked", "help_not_needed", "undelivered_outside", "received_outside",
    "leave_smoke", "leave_gas", "leave_carbon_monoxide", "water_found", "unclaimed",
}  # fmt: skip
MOST = 16
STALE_S = 300.0  # a talk takes up to 180 s, and then what has waited is still worth saying


class Waiting(Struct, frozen=True):
    """A task, and since when it waits."""

    task: Task
    since: float


def rank(task: Task) -> int:
    """Return how urgent it is: 0 (the most urgent) to 3."""
    match task:
        case Say(key=key, receipt=receipt, urgent=urgent):
            alarm = key in ALARM or (urgent and not receipt)
            return 0 if alarm else 2 if urgent else 3
        case Ask(key="ask_help") | Listen():
            return 1
        case Ask(key=key):
            return 2 if key.startswith("warn_") else 3


def is_blunt(task: Task) -> bool:
    """Whether it is said even while the resident talks; a warning waits for the answer to it."""
    return rank(task) <= 1 or (isinstance(task, Say) and task.urgent)


def cuts_short(new: Task, running: Task) -> bool:
    """Whether `new` must not wait for the end of what is being said."""
    return rank(new) < rank(running) and is_blunt(new)


class TaskQueue:
    """The tasks that wait, at most `MOST`; `at` is monotonic seconds."""

    def __init__(self) -> None:
        self._queues = tuple(deque[Waiting]() for _ in range(4))

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def put(self, task: Task, at: float) -> list[Task]:
        """Add a task, unless the same waits already; return those that are dropped for it."""
        queue = self._queues[rank(task)]
        if any(waiting.task == task for waiting in queue):
            return []
        queue.append(Waiting(task, at))
        return [self._least()] if len(self) > MOST else []

    def next(self, at: float) -> tuple[Task | None, list[Task]]:
        """Return the next task, and those that have waited too long."""
        gone: list[Task] = []
        for queue in self._queues:
            while queue:
                waiting = queue.popleft()
                if at - waiting.since <= STALE_S:
                    return waiting.task, gone
                gone.append(waiting.task)
        return None, gone

    def clear(self) -> list[Task]:
        """Drop and return all tasks."""
        gone = [waiting.task for queue in self._queues for waiting in queue]
        for queue in self._queues:
            queue.clear()
        return gone

    def _least(self) -> Task:
        queue = next(queue for queue in reversed(self._queues) if queue)
        return queue.popleft().task
