"""Whether a hub runs here, and what it says about its own link.

The hub's socket is asked, not the broker: a broker has one session for each name, and a second
client with the hub's certificate ends the hub's session. The doctor connects as the hub only where
it is certain that no hub runs here.
"""

import fcntl
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared import unix_socket
from provisioning.findings import HubConfig

PATIENCE_S = 5.0


class Word(Struct, frozen=True):
    """What a running hub says about its link; `broker` is empty while it has no session."""

    broker: str = ""
    trouble: str = ""


class Running(Struct, frozen=True):
    """`may`: whether a hub may be running; `word` is None where no hub answered."""

    may: bool
    word: Word | None = None


def look(config: HubConfig) -> Running:
    """Look for a hub with this configuration on this machine."""
    try:
        return Running(may=True, word=_ask(Path(config.run_dir) / "hub.sock"))
    except (FileNotFoundError, ConnectionRefusedError):
        return Running(may=_is_claimed(Path(config.state_dir)))
    except (OSError, ValueError):  # another user's socket, or an older hub, which does not answer
        return Running(may=True)


def _ask(path: Path) -> Word | None:
    line = next(unix_socket.ask(path, b'{"do":"link"}\n', PATIENCE_S), b"")
    return msgspec.json.decode(line, type=Word) if line else None


def _is_claimed(folder: Path) -> bool:
    """Whether a process holds the state folder (`hub/process/claim.py`), or might."""
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
