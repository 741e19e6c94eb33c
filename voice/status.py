"""How each part of the voice fares, told to the hub when it changes, and anew on each new line."""

from collections.abc import Awaitable, Callable

from hub.contract.times import left_of
from hub.contract.voice import Fact, Part, Pong, Trouble
from voice.hearing.capture import Ear
from voice.hearing.hearing import Utterance
from voice.hearing.overhear import Overhearing
from voice.sound.microphone import Condition


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


HUNG_S = 20.0  # PortAudio has not come back: it never will
LEAST_S = 20 * 3600.0  # between two restarts by plan
SETTLED_S = 600.0
WINDOW_END_S = 3 * 3600.0  # after the hour of the planned restart it is put off to the next night
DETAIL = 200


class Health:
    """The parts and what is wrong with each (empty: nothing); `tell` carries what changes."""

    def __init__(self, tell: Callable[[Fact], None]) -> None:
        self._tell = tell
        self._wrong = dict.fromkeys(Part, "")

    def note(self, part: Part, wrong: str) -> None:
        """Take how a part fares now."""
        before, self._wrong[part] = self._wrong[part], wrong
        if bool(before) != bool(wrong):
            self._tell(self._fact(part))

    def facts(self) -> list[Fact]:
        """Give how all of them fare, the well ones too: the hub may remember an old trouble."""
        return [self._fact(part) for part in Part]

    def _fact(self, part: Part) -> Trouble:
        wrong = self._wrong[part]
        return Trouble(part, bool(wrong), wrong[:DETAIL])


def listening(health: Health, condition: Condition) -> None:
    """Note how the microphone is; one that is lost is not also switched off."""
    health.note(Part.MICROPHONE, (condition.reason or "silent") if condition.lost else "")
    health.note(Part.MUTE, "only zeros" if condition.muted else "")


def restart_due(mb: float, most_mb: float, up_s: float, local: float, restart_at: str) -> bool:
    """Tell whether it is time to begin anew: too big (models grow as they listen), or by night.

    `local` is seconds of the home's own clock, `restart_at` as "03:30".
    """
    hour = int(restart_at[:2])
    until = f"{(hour + int(WINDOW_END_S // 3600)) % 24:02d}{restart_at[2:]}"
    too_big = mb > most_mb and up_s > SETTLED_S  # a limit set too low: no endless beginning
    return too_big or (up_s > LEAST_S and left_of(restart_at, until, local) > 0)
