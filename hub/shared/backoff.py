"""How long to wait before the next try. Pure: no clock, and the random part comes from outside."""

DOUBLINGS_MOST = 64  # far beyond every cap; an exponent without a limit would overflow the float


def exponential_s(
    failures: int, *, first_s: float, longest_s: float, factor: float = 2.0, jitter: float = 1.0
) -> float:
    """Return the wait in seconds after `failures` failed tries in a row; 0 after none.

    It begins with `first_s` and grows by `factor` up to `longest_s`. `jitter` (0 to 1) scales it. A
    random jitter ("full jitter") keeps many clients from coming back in the same second.
    """
    if failures <= 0:
        return 0.0
    return min(longest_s, first_s * factor ** min(failures - 1, DOUBLINGS_MOST)) * jitter
