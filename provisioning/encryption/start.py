"""Before the hub, at each start (`systemd/anbu-state.service`): its folders are made readable.

    python -m provisioning.encryption.start [ROOT]

A wiping that was begun goes on: the old home moves away first, then the folders are made ready, and
what was moved is erased last. Whatever fails is told, and the hub starts all the same.
"""

import sys
import time
from pathlib import Path

from provisioning.encryption import folders, wiping
from provisioning.encryption.folders import Kept
from provisioning.encryption.keyfile import LaterError

ERASING_S = 20.0  # then the hub has waited enough; the unit is tried again 30 s later


def start(root: Path) -> bool:
    """Make the folders ready; False: to try again before the next start may do more."""
    try:
        troubles = wiping.make_way(root)
    except OSError as error:
        _say("stuck", error=str(error))
        return False  # to prepare the folders would open the old home with its key
    is_ready = _prepare(root)
    return _erase(root, troubles) and is_ready


def _prepare(root: Path) -> bool:
    try:
        found = folders.prepare(root)
    except OSError as error:
        _say("failed", error=str(error))
        return False
    for name, kept in found.items():
        if kept is Kept.REPLACED:  # `anbu doctor` tells what is not encrypted at all
            _say("replaced", folder=f"/{name}")
    return True


def _erase(root: Path, troubles: list[str]) -> bool:
    """Erase what is left of the old home, and tell what cannot be; False: the time was over."""
    if not wiping.is_left(root):
        return True
    try:
        troubles = [*troubles, *wiping.erase_left(root, time.monotonic() + ERASING_S)]
    except LaterError:
        _say("later")
        return False
    for trouble in dict.fromkeys(troubles):
        _say("left", what=trouble)
    if not troubles:
        _say("ended")
    return True


def _say(key: str, **values: str) -> None:
    from hub.shared.messages import ours  # noqa: PLC0415 - they would load for 60 ms

    text = ours("provisioning", "encryption")["start"][key]
    sys.stdout.write(text.format(**values) + "\n")


if __name__ == "__main__":
    sys.exit(0 if start(Path(sys.argv[1] if len(sys.argv) > 1 else "/")) else 1)
