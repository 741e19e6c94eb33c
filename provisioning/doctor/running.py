"""Whether a hub runs here, and what it says of its own link.

It is asked at its socket, not at the broker: a broker gives one session to each name, and whoever
connects with the hub's certificate throws the hub off. The doctor does that only where it can be
shown that no hub runs here.
"""

import fcntl
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared import unix_socket
from provisioning.findings import Patient

PATIENCE_S = 5.0


class Word(Struct, frozen=True):
    """What a running hub says of its link; `broker` is empty while no session stands."""

    broker: str = ""
    trouble: str = ""


class Running(Struct, frozen=True):
    """`may` is False only where no hub can be running; `word` is None where it was not told."""

    may: bool
    word: Word | None = None


def look(patient: Patient) -> Running:
    """Look for a hub with this configuration on this machine."""
    try:
        return Running(may=True, word=_ask(Path(patient.run_dir) / "hub.sock"))
    except (FileNotFoundError, ConnectionRefusedError):
        return Running(may=_is_claimed(Path(patient.state_dir)))
    except (OSError, ValueError):  # not our socket to open, or an older hub, which does not answer
        return Running(may=True)


def _ask(path: Path) -> Word | None:
    line = next(unix_socket.ask(path, b'{"do":"link"}\n', PATIENCE_S), b"")
    return msgspec.json.decode(line, type=Word) if line else None


def _is_claimed(folder: Path) -> bool:
    """Tell whether a process holds the state folder (`hub/process/claim.py`), or might."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(held)
    return False
