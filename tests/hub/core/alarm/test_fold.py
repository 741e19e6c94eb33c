"""Which call belongs to an open alarm, and which is a new alarm."""

import pytest

from hub.contract.scaip import AUTOMATIC, Kind, What
from hub.core.alarm import alarm
from hub.core.model.effects import Signal
from hub.core.model.events import CenterAcked
from hub.core.model.state import HomeState
from tests.hub.core.scenes import (
    HELP,
    RULES,
    accepted,
    calls,
    press,
    quiet,
    read,
    received,
    story,
    tell,
)


def opened(kind: Kind, *news: CenterAcked) -> HomeState:
    """A home with an open alarm of this kind that the centre has acknowledged."""
    state, _ = alarm.call(quiet(), kind, HELP, 1.0, RULES)
    return tell(state, *news)


@pytest.mark.parametrize("kind", sorted(AUTOMATIC))
@pytest.mark.parametrize("news", [(), (received(2.0),), (received(2.0), accepted(3.0))])
def test_a_press_is_an_alarm_of_its_own_whatever_the_house_has_told(
    kind: Kind, news: tuple[CenterAcked, ...]
) -> None:
    """Somebody may have taken the other alarm already: then this call would not ring."""
    state, effects = story(opened(kind, *news), *press(10.0))
    data = [read(e).data for e in calls(effects)]
    assert (data[0].what, data[0].kind, data[0].scaip.pri) == (What.RAISED, Kind.HELP_BUTTON, 0)
    assert len(state.alarms) == 2
    assert state.shown is Signal.RAISED


@pytest.mark.parametrize(
    ("first", "then", "own"),
    [
        (Kind.HELP_BUTTON, Kind.PULL_CORD, False),
        (Kind.HELP_BUTTON, Kind.QUIET, False),
        (Kind.QUIET, Kind.NO_LIFE, False),
        (Kind.QUIET, Kind.MISSED_CHECKIN, False),
        (Kind.MISSED_CHECKIN, Kind.DOOR_OPEN, False),
        (Kind.MISSED_CHECKIN, Kind.QUIET, True),
        (Kind.DOOR_OPEN, Kind.NO_LIFE, True),
        (Kind.TEST, Kind.HELP_BUTTON, True),
        (Kind.HELP_BUTTON, Kind.TEST, True),
    ],
)
def test_an_urgent_call_is_never_part_of_one_that_can_wait(
    first: Kind,
    then: Kind,
    own: bool,  # noqa: FBT001 - a case
) -> None:
    state, effects = alarm.call(opened(first), then, HELP, 10.0, RULES)
    (event,) = (read(e) for e in calls(effects))
    assert event.data.what is (What.RAISED if own else What.REPEATED)
    assert len(state.alarms) == 1 + own
