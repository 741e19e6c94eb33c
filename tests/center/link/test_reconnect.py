"""How long the centre waits before it dials again."""

from msgspec.structs import replace

from center.config import Mqtt
from center.link.reconnect import LONGEST_S, Link
from tests.center.making import NOW


def pauses(back_off_s: float, failures: int) -> list[float]:
    settings = replace(Mqtt(), back_off_s=back_off_s)
    link = Link(settings, lambda: NOW, lambda _: None, lambda: None)
    return [link._pause_s(failures) for _ in range(2000)]


def test_a_long_back_off_keeps_the_centre_from_no_broker_for_minutes() -> None:
    """After a night without a network the centre is back a minute after it, whatever was set."""
    tried = pauses(back_off_s=600.0, failures=50)
    assert 0.0 <= min(tried) < LONGEST_S / 2 < max(tried) <= LONGEST_S == 64.0


def test_a_pause_is_random_below_what_was_set() -> None:
    tried = pauses(back_off_s=2.0, failures=50)
    assert 0.0 <= min(tried) < 1.0 < max(tried) <= 2.0
    assert pauses(back_off_s=2.0, failures=0)[0] == 0.0
