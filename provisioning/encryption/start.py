"""Before the hub, at each start (`systemd/anbu-state.service`): its folders are made readable.

    python -m provisioning.encryption.start [ROOT]

A wiping that was begun is ended first. Whatever fails is told, and the hub starts all the same.
"""

import sys
from pathlib import Path

from provisioning.encryption import folders, wiping
from provisioning.encryption.folders import Kept


def start(root: Path) -> bool:
    """Make the folders ready; whether all of it went well."""
    try:
        if wiping.is_begun(root):
            wiping.go_on(root)
            _say("ended")
        found = folders.prepare(root)
    except OSError as error:
        _say("failed", error=str(error))
        return False
    for name, kept in found.items():
        if kept is Kept.REPLACED:  # `anbu doctor` tells what is not encrypted at all
            _say("replaced", folder=f"/{name}")
    return True


def _say(key: str, **values: str) -> None:
    from hub.shared.messages import ours  # noqa: PLC0415 - they would load for 60 ms

    text = ours("provisioning", "encryption")["start"][key]
    sys.stdout.write(text.format(**values) + "\n")


if __name__ == "__main__":
    sys.exit(0 if start(Path(sys.argv[1] if len(sys.argv) > 1 else "/")) else 1)
