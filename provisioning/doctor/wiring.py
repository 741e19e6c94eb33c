"""Checks how help buttons and pull cords are wired: a cut wire must be noticed.

A cut wire of a normally open button looks like a button that nobody presses. With
`wiring = "normally_closed"` the same cut is a call, and a fault after a minute (decision 0031).
"""

from collections.abc import Iterator

from hub.shared.findings import Finding, good, note
from provisioning.findings import HubSettings


def examine(settings: HubSettings) -> Iterator[Finding]:
    """Yield which wired triggers are normally open: nobody would notice that their wire is cut."""
    silent = [name for name, closed in settings.triggers.items() if not closed]
    if silent:
        yield note("wiring", "silent", names=", ".join(silent))
    elif settings.triggers:
        yield good("wiring")
