"""The plug is pulled while somebody presses: what was then durable, by a second reader's eyes."""

import threading
import time
from collections.abc import Iterator

from tests.pi.evidence import Cut
from tests.pi.guestlink import Answer, GuestError
from tests.pi.home import HELP, OUTBOX
from tests.pi.machine import Machine

OWED = "SELECT id FROM message WHERE lane = 0"


def press_until_the_plug_is_out(pi: Machine, seconds: float, gap_s: float = 0.2) -> Cut:
    """Press until `seconds` after the first call of this life is durable; cut the power."""
    cut, first = Cut(), threading.Event()
    cut.inherited = {answer["row"][0] for answer in pi.follow(OUTBOX, OWED, seconds=0.01)}

    def note_fingers() -> None:
        for finger in _until_the_end(pi.press(HELP, down_s=0.06, gap_s=gap_s, count=10_000)):
            cut.fingers.append(finger["at"])

    def note_durable() -> None:
        for answer in _until_the_end(pi.follow(OUTBOX, OWED, seconds=600)):
            if answer["row"][0] not in cut.inherited:
                cut.durable[answer["row"][0]] = answer["at"]
                first.set()

    witnesses = [threading.Thread(target=note) for note in (note_durable, note_fingers)]
    for witness in witnesses:
        witness.start()
    assert first.wait(60), "no press was accepted"
    time.sleep(seconds)  # the moment of the cut is meant to be blind
    pi.cut_power()
    for witness in witnesses:
        witness.join()
    assert len(cut.boots) == 1, "the witnesses speak of this life alone"
    return cut


def _until_the_end(answers: Iterator[Answer]) -> Iterator[Answer]:
    """Return answers until the guest is gone."""
    try:
        yield from answers
    except GuestError:
        return
