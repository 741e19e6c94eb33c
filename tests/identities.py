"""Identities of hubs on a disk, for tests: written as the provisioning process writes them."""

from datetime import datetime
from pathlib import Path

from hub.shared.identity import Facts
from provisioning.certs import dev
from provisioning.certs.authority import issue
from provisioning.enrol import store
from tests.broker import certs


def enrol(
    root: Path,
    hub: str,
    board: str = "",
    *,
    foreign: bool = False,
    ends: datetime | None = None,
) -> str:
    """Add a generation of a hub's identity; return the name that points at it.

    `foreign`: its certificate is by an authority that the broker does not know.
    """
    parent = dev.read(certs() / "foreign" if foreign else certs(), "ca")
    assert parent
    pair = issue(parent, hub, ends=ends)
    asked = store.begin(root, board, pair.key_pem(), b"")
    store.finish(
        asked, pair.certificate_pem(), (certs() / "ca.crt").read_bytes(), Facts(hub, board)
    )
    return store.adopt(root, board)
