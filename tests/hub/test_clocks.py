"""What a process knows at its start: the boot, a random id, the machine's time zone."""

import time
from collections.abc import Callable
from unittest.mock import patch

import pytest

from hub.clocks import SystemClocks
from hub.core import late
from hub.core.model.rules import Rules
from hub.core.model.state import Announcement, Candidate, HomeState
from hub.shared.system import clock_synced


def test_no_two_starts_are_alike() -> None:
    starts = [SystemClocks(32_400.0).started() for _ in range(50)]
    assert len({s.boot for s in starts}) == len({s.chance for s in starts}) == 50
    assert all(0.0 <= s.chance < 1.0 for s in starts)
    assert max(s.chance for s in starts) - min(s.chance for s in starts) > 0.3


def test_local_time_is_the_homes_whatever_the_machine_is_set_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        clocks = SystemClocks(32_400.0)
        assert clocks.started().zone_s == clocks.heartbeat().zone_s == 32_400.0
        assert clocks.heartbeat().utc == pytest.approx(time.time(), abs=5)
    time.tzset()


def test_a_clock_that_was_right_once_is_trusted_on() -> None:
    """Linux reports the clock as unsynchronised hours after the last answer of a time server."""
    clocks = SystemClocks(0.0)
    with patch("hub.clocks.clock_synced", side_effect=[False, True, False, False]):
        said = [clocks.heartbeat().synced for _ in range(4)]
    assert said == [False, True, True, True]


@pytest.mark.parametrize("asks", [clock_synced, lambda: SystemClocks(0.0).synced()])
@pytest.mark.parametrize(("answer", "synced"), [(0, True), (1, True), (5, False), (-1, False)])
def test_a_clock_of_which_nothing_is_known_is_trusted_by_nobody(
    monkeypatch: pytest.MonkeyPatch, answer: int, asks: Callable[[], bool], *, synced: bool
) -> None:
    """A unit that filters adjtimex gets -1; this was once taken for "synchronised"."""

    class Kernel:
        def adjtimex(self, _: object) -> int:
            return answer

    monkeypatch.setattr("ctypes.CDLL", lambda _: Kernel())
    assert asks() is synced


def test_a_disk_that_is_read_late_brings_its_spoken_call_and_announcements() -> None:
    old = HomeState(
        candidate=Candidate(1.0, 16.0),
        notices=(Announcement("c1", "x", urgent=False, until_utc=0.0, due_at=1.0),),
    )
    now = HomeState(notices=(Announcement("c2", "y", urgent=False, until_utc=0.0, due_at=2.0),))
    joined, _ = late.joined(old, now, Rules())
    assert joined.candidate == old.candidate
    assert [notice.id for notice in joined.notices] == ["c1", "c2"]
