"""A check of how help buttons and cords are wired: a cut wire must be noticed.

A normally open help button with a cut wire looks like one that nobody presses. With
`wiring = "normally_closed"` the same cut is a call, and a fault after a minute (decision 0031).
"""

from collections.abc import Iterator

from hub.shared.findings import Finding, good, note
from provisioning.findings import HubConfig


def examine(config: HubConfig) -> Iterator[Finding]:
    """Yield the triggers whose cut wire nobody would notice."""
    silent = [name for name, closed in config.triggers.items() if not closed]
    if silent:
        yield note("wiring", "silent", names=", ".join(silent))
    elif config.triggers:
        yield good("wiring")
