"""The plug is pulled during presses: each call that the hub had accepted reaches the centre once.

Accepted is what a second reader saw in the outbox before the cut; every other life of the machine
has no broker, so that only the card can know of its calls.
"""

import random
import time

import pytest

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.evidence import Cut, doubled, lost
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.home import UNIT, Home
from tests.pi.plug import press_until_the_plug_is_out

pytestmark = pytest.mark.pi

CUTS = 10


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
        cut = press_until_the_plug_is_out(home.pi, seconds)
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
