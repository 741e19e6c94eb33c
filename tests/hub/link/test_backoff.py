"""How long the hub waits before it dials again, and how it notices another with its name."""

import pytest

from hub.contract.wire import LinkTrouble
from hub.link.backoff import (
    BRIEF_S,
    CAP_S,
    FORGOTTEN_S,
    LONGEST_TURN_S,
    REFUSALS,
    REFUSED_S,
    REFUSED_URGENT_S,
    URGENT_CAP_S,
    Twin,
    delay_s,
)

JITTERS = (0.0, 0.5, 0.999)


@pytest.mark.parametrize("trouble", [*REFUSALS, LinkTrouble.TAKEN_OVER])
def test_who_is_refused_or_thrown_off_waits_a_minute_at_least(trouble: LinkTrouble) -> None:
    waits = [delay_s(1, trouble, urgent=False, jitter=jitter) for jitter in JITTERS]
    assert min(waits) == REFUSED_S
    assert len(set(waits)) == len(JITTERS), "a county's hubs do not come back in the same second"
    urgent = [delay_s(1, trouble, urgent=True, jitter=jitter) for jitter in JITTERS]
    assert min(urgent) == REFUSED_URGENT_S
    assert max(urgent) < 2 * REFUSED_URGENT_S


def test_a_revoked_certificate_is_a_refusal() -> None:
    assert LinkTrouble.CERTIFICATE_REVOKED in REFUSALS


def test_each_turn_that_is_lost_to_a_twin_doubles_the_wait_up_to_minutes() -> None:
    def wait_s(turns: int) -> float:
        return delay_s(0, LinkTrouble.TAKEN_OVER, urgent=False, jitter=0.0, turns=turns)

    assert [wait_s(turns) for turns in (1, 2, 3, 4, 9)] == [60.0, 120.0, 240.0, 480.0, 480.0]
    assert wait_s(10) == LONGEST_TURN_S


def test_what_merely_broke_is_dialled_again_at_once_and_then_soon() -> None:
    assert delay_s(0, LinkTrouble.CLOSED, urgent=False, jitter=1.0) == 0.0
    assert delay_s(9, LinkTrouble.CLOSED, urgent=False, jitter=1.0) == CAP_S
    assert delay_s(9, LinkTrouble.CLOSED, urgent=True, jitter=1.0) == URGENT_CAP_S


def test_a_broker_that_names_the_twin_is_believed_at_once() -> None:
    twin = Twin()
    told = twin.judge(LinkTrouble.TAKEN_OVER, 1.0, silent=False)
    assert (told, twin.turns) == (LinkTrouble.TAKEN_OVER, 1)


def test_a_broker_that_says_nothing_is_understood_at_the_third_time() -> None:
    twin = Twin()
    told = [twin.judge(LinkTrouble.CLOSED, BRIEF_S - 1, silent=True) for _ in range(4)]
    closed, taken = LinkTrouble.CLOSED, LinkTrouble.TAKEN_OVER
    assert told == [closed, closed, taken, taken]
    assert twin.turns == 2


def test_a_twin_that_is_known_is_known_at_the_next_silent_end_though_it_came_late() -> None:
    twin = Twin(turns=1)
    assert twin.judge(LinkTrouble.CLOSED, 100.0, silent=True) is LinkTrouble.TAKEN_OVER
    assert twin.judge(LinkTrouble.CLOSED, FORGOTTEN_S, silent=True) is LinkTrouble.CLOSED
    assert twin.turns == 0


@pytest.mark.parametrize(
    ("trouble", "lasted_s", "silent"),
    [
        (LinkTrouble.CLOSED, 1.0, False),  # a network that resets
        (LinkTrouble.ACK_OVERDUE, 1.0, False),
        (LinkTrouble.CLOSED, BRIEF_S, True),  # a broker that restarts now and then
    ],
)
def test_a_bad_network_is_no_twin(trouble: LinkTrouble, lasted_s: float, *, silent: bool) -> None:
    twin = Twin()
    told = {twin.judge(trouble, lasted_s, silent=silent) for _ in range(9)}
    assert told == {trouble}
