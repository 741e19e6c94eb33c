"""Whether a hub runs on this machine, and what it reports of its link to the broker.

The doctor asks the hub at its unix socket, not the broker: a broker gives one session to each name,
so a connection with the hub's certificate would end the hub's own. The doctor makes such a
connection only where it is certain that no hub runs here.
"""

import fcntl
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared import unix_socket
from provisioning.findings import HubSettings

PATIENCE_S = 5.0


class LinkReport(Struct, frozen=True):
    """What a running hub reports of its link; `broker` is empty while there is no session."""

    broker: str = ""
    trouble: str = ""


class Running(Struct, frozen=True):
    """Whether a hub may be running: `may` is False only where it is certain that none is.

    `link` is None where the hub did not report it.
    """

    may: bool
    link: LinkReport | None = None


def find_running(settings: HubSettings) -> Running:
    """Look for a running hub with these settings on this machine."""
    try:
        return Running(may=True, link=_ask(Path(settings.run_dir) / "hub.sock"))
    except (FileNotFoundError, ConnectionRefusedError):
        return Running(may=_is_claimed(Path(settings.state_dir)))
    except (OSError, ValueError):  # the socket is another user's, or an older hub does not answer
        return Running(may=True)


def _ask(path: Path) -> LinkReport | None:
    line = next(unix_socket.ask(path, b'{"do":"link"}\n', PATIENCE_S), b"")
    return msgspec.json.decode(line, type=LinkReport) if line else None


def _is_claimed(folder: Path) -> bool:
    """Whether a process has locked the state folder (`hub/process/claim.py`), or may have."""
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
