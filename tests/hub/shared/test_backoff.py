"""The exponential back-off that every process uses."""

import pytest

from hub.shared.backoff import exponential_s


def test_each_failure_makes_the_wait_longer_up_to_the_cap() -> None:
    waits = [exponential_s(failures, first_s=1.0, longest_s=10.0) for failures in range(7)]
    assert waits == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    slower = [exponential_s(n, first_s=2.0, longest_s=4.0, factor=1.5) for n in (1, 2, 3, 9)]
    assert slower == [2.0, 3.0, 4.0, 4.0]


@pytest.mark.parametrize("failures", [-1, 0])
def test_without_a_failure_nobody_waits(failures: int) -> None:
    assert exponential_s(failures, first_s=1.0, longest_s=10.0) == 0.0


def test_a_million_failures_still_give_the_cap() -> None:
    assert exponential_s(1_000_000, first_s=0.5, longest_s=600.0) == 600.0


def test_the_jitter_comes_from_outside_and_spreads_the_whole_wait() -> None:
    waits = [exponential_s(3, first_s=1.0, longest_s=9.0, jitter=jitter) for jitter in (0, 0.5, 1)]
    assert waits == [0.0, 2.0, 4.0]
