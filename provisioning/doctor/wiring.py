"""How the triggers of a hub's config are wired: a cut wire must show.

A normally open help button whose wire is cut reads as one that nobody presses, for ever. With
`wiring = "normally_closed"` the same cut is a call, and a fault after a minute (decision 0031).
"""

from collections.abc import Iterator

from hub.shared.findings import Finding, good, note
from provisioning.findings import Patient


def examine(patient: Patient) -> Iterator[Finding]:
    """Find the wired triggers whose cut wire nobody would notice."""
    silent = [name for name, closed in patient.triggers.items() if not closed]
    if silent:
        yield note("wiring", "silent", names=", ".join(silent))
    elif patient.triggers:
        yield good("wiring")
