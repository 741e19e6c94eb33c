"""Two machines with one name are known by a boot that comes back after another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from center.domain.clones import Boot, is_news, other, pair

A, B = Boot("a", 100.0, 1000.0), Boot("b", 160.0, 1060.0)


@pytest.mark.parametrize(
    ("known", "boot", "said_utc", "found"),
    [
        ((), "a", 100.0, ""),
        ((A,), "a", 130.0, ""),  # it goes on
        ((A,), "b", 160.0, ""),  # it has started again
        ((A, B), "b", 190.0, ""),
        ((A, B), "c", 200.0, ""),  # and once more, perhaps from a backup
        ((A, B), "a", 190.0, "b"),  # the first one is there again: both run
        ((B, A), "a", 190.0, "b"),
        ((A, B), "a", 100.0, ""),  # an old message, delivered again
        ((A, B), "a", 90.0, ""),
    ],
)
def test_a_boot_that_comes_back_after_another_one_is_another_machine(
    known: tuple[Boot, ...], boot: str, said_utc: float, found: str
) -> None:
    assert other(known, boot, said_utc) == found


def test_an_old_message_is_no_news() -> None:
    assert is_news((A,), "b", 0.0)
    assert is_news((A,), "a", 100.1)
    assert not is_news((A,), "a", 100.0)


def test_the_two_that_spoke_last_are_shown_the_newest_first() -> None:
    assert pair((A, B, Boot("old", 1.0, 1.0))) == (B, A)


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30))
def test_no_number_of_restarts_is_two_machines(steps: list[float]) -> None:
    known: list[Boot] = []
    at = 0.0
    for n, step in enumerate(steps):
        at += step
        for later in (0.0, 0.05):
            assert other(known, f"b{n}", at + later) == ""
            known = [one for one in known if one.boot != f"b{n}"]
            known.append(Boot(f"b{n}", at + later, at + later))
