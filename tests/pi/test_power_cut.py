"""The plug is pulled during presses: each call that the hub had accepted reaches the centre once.

Accepted is what a second reader saw in the outbox before the cut; every other life of the machine
has no broker, so that only the card can know of its calls.
"""

import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.evidence import Cut, doubled, lost
from tests.pi.figures import say
from tests.pi.guestlink import Answer, GuestError, wait_until
from tests.pi.home import HELP, OUTBOX, UNIT, Home

pytestmark = pytest.mark.pi

CUTS = 10
OWED = "SELECT id FROM message WHERE lane = 0"


def test_no_power_cut_loses_or_doubles_an_accepted_call(
    home: Home, centre: Centre, broker: Broker
) -> None:
    dice = random.Random()  # noqa: S311 - moments, not secrets
    home.rest(centre)
    earlier = _ids(centre)
    home.pi.must("sync")
    cuts = []
    for number in range(CUTS):
        began = time.monotonic()
        offline = number % 2 == 1  # what nobody outside has seen must survive as well
        if offline:
            broker.stop()
        seconds = dice.uniform(0.3, 6.0)
        cut = _press_until_the_plug_is_out(home, seconds)
        if offline:
            broker.start()
        home.pi.boot()
        home.pi.until(f"systemctl is-active {UNIT}")
        _wait_for_delivery(cut, centre)
        cuts.append(cut)
        say(
            f"cut {number + 1}{' (no broker)' if offline else ''}: {len(cut.fingers)} fingers, "
            f"{len(cut.durable)} durable, all delivered; {time.monotonic() - began:.0f} s",
        )
    table = centre.stored()
    gone = lost(cuts, table)
    twice = doubled(cuts, [event for event in table if event.id not in earlier])
    say(f"{len(table) - len(earlier)} calls stored, {len(gone)} lost, {len(twice)} doubled")
    assert sum(len(cut.durable) for cut in cuts) >= CUTS, "there was something to lose"
    assert not gone
    assert not twice
    home.rest(centre)


def _ids(centre: Centre) -> set[str]:
    return {event.id for event in centre.stored()}


def _wait_for_delivery(cut: Cut, centre: Centre) -> None:
    promised = {*cut.durable, *cut.inherited}
    wait_until(lambda: promised <= _ids(centre), 120, "all that was durable is delivered")


def _press_until_the_plug_is_out(home: Home, seconds: float) -> Cut:
    """Press until `seconds` after the first call of this life is durable; cut the power."""
    cut, first = Cut(), threading.Event()
    cut.inherited = {answer["row"][0] for answer in home.pi.follow(OUTBOX, OWED, seconds=0.01)}

    def note_fingers() -> None:
        for finger in _until_the_end(home.pi.press(HELP, down_s=0.06, gap_s=0.2, count=10_000)):
            cut.fingers.append(finger["at"])

    def note_durable() -> None:
        for answer in _until_the_end(home.pi.follow(OUTBOX, OWED, seconds=600)):
            if answer["row"][0] not in cut.inherited:
                cut.durable[answer["row"][0]] = answer["at"]
                first.set()

    witnesses = [threading.Thread(target=note) for note in (note_durable, note_fingers)]
    for witness in witnesses:
        witness.start()
    assert first.wait(60), "no press was accepted"
    time.sleep(seconds)  # the moment of the cut is meant to be blind
    home.pi.cut_power()
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
