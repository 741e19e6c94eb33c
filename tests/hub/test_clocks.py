"""What a process says of its beginning: its own boot, its own chance, the machine's time zone."""

import time

import pytest

from hub.clocks import SystemClocks


def test_no_two_starts_are_alike() -> None:
    starts = [SystemClocks().started() for _ in range(50)]
    assert len({s.boot for s in starts}) == len({s.chance for s in starts}) == 50
    assert all(0.0 <= s.chance < 1.0 for s in starts)
    assert max(s.chance for s in starts) - min(s.chance for s in starts) > 0.3


@pytest.mark.parametrize(("zone", "zone_s"), [("Asia/Seoul", 32_400.0), ("UTC", 0.0)])
def test_local_time_is_the_machines(
    monkeypatch: pytest.MonkeyPatch, zone: str, zone_s: float
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        clocks = SystemClocks()
        assert clocks.started().zone_s == clocks.heartbeat().zone_s == zone_s
        assert clocks.heartbeat().utc == pytest.approx(time.time(), abs=5)
    time.tzset()
