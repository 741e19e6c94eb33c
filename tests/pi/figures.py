"""Prints the figures that a test of the virtual Pi measures."""

import statistics
import sys


def say(text: str) -> None:
    """Print a measured figure."""
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()


def spread(name: str, seconds: list[float]) -> None:
    """Print what was measured, in milliseconds."""
    ms = sorted(1000 * each for each in seconds)
    middle = statistics.median(ms)
    say(f"{name}: n {len(ms)}, p50 {middle:.0f} ms, least {ms[0]:.0f}, most {ms[-1]:.0f}")
