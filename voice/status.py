"""The state of the voice's parts, told to the hub when it changes and on each new connection.

Also: how much sound was lost, and when the process must be started anew.
"""

from collections.abc import Callable

from hub.contract.times import left_of
from hub.contract.voice import Fact, Part, Pong, Trouble
from voice.hearing.capture import Capture
from voice.hearing.overhear import Overhearing
from voice.hearing.queue import JudgementQueue
from voice.sound.microphone import Condition

HUNG_S = 20.0  # PortAudio has not come back: it never will
LEAST_S = 20 * 3600.0  # between two restarts by plan
SETTLED_S = 600.0
WINDOW_END_S = 3 * 3600.0  # later than this after the planned hour, it waits for the next night
DETAIL = 200  # characters of a reason


class PartStatus:
    """What is wrong with each part (empty: nothing); `tell` carries the changes to the hub."""

    def __init__(self, tell: Callable[[Fact], None]) -> None:
        self._tell = tell
        self._wrong = dict.fromkeys(Part, "")

    def note(self, part: Part, wrong: str) -> None:
        """Note the present state of a part."""
        before, self._wrong[part] = self._wrong[part], wrong
        if bool(before) != bool(wrong):
            self._tell(self._fact(part))

    def note_microphone(self, condition: Condition) -> None:
        """Note the state of the microphone; one that is lost is not also switched off."""
        self.note(Part.MICROPHONE, (condition.reason or "silent") if condition.lost else "")
        self.note(Part.MUTE, "only zeros" if condition.muted else "")

    def facts(self) -> list[Fact]:
        """Return the state of all parts, the working ones too: the hub may hold an old trouble."""
        return [self._fact(part) for part in Part]

    def _fact(self, part: Part) -> Trouble:
        wrong = self._wrong[part]
        return Trouble(part, bool(wrong), wrong[:DETAIL])


class Losses:
    """How much sound was lost since the start of the process."""

    def __init__(
        self, capture: Capture, overhearing: Overhearing, judgements: JudgementQueue
    ) -> None:
        self._capture, self._overhearing, self._judgements = capture, overhearing, judgements

    def pong(self, n: int) -> Pong:
        """Return the answer to the hub's ping `n`, with the losses in seconds of sound."""
        lost_s = self._capture.lost_s, self._overhearing.lost_s, self._judgements.unjudged_s
        return Pong(n, *(round(s, 1) for s in lost_s))


def restart_due(mb: float, most_mb: float, up_s: float, local: float, restart_at: str) -> bool:
    """Whether to start anew: the process is too big (models grow as they listen), or it is night.

    `local` is seconds of the home's own clock, `restart_at` is such as "03:30".
    """
    hour = int(restart_at[:2])
    until = f"{(hour + int(WINDOW_END_S // 3600)) % 24:02d}{restart_at[2:]}"
    too_big = mb > most_mb and up_s > SETTLED_S  # so that too low a limit does not restart for ever
    return too_big or (up_s > LEAST_S and left_of(restart_at, until, local) > 0)
