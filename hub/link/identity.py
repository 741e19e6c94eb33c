"""With which of the hub's identities the next dial is made.

    current --`next` appears--> next tried --a session stands--> it is the current one
                 ^                 '--refused--> current at once; `next` again after 10 min
                 '--no answer--> current on the following dial, then `next` again

A renewed identity is never tried beside a running session: that would end the session.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from hub.contract.wire import LinkTrouble
from hub.link.backoff import REFUSALS
from hub.link.session import MqttSettings
from hub.shared.identity import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    NEXT,
    Identity,
    in_use,
    prove,
    read,
)

AGAIN_S = 600.0  # until a refused `next` is tried again: the broker may get the new authority later
REFUSED = REFUSALS | {
    LinkTrouble.CERTIFICATE_NOT_YET_VALID, LinkTrouble.TLS, LinkTrouble.CLOSED,
}  # fmt: skip


class Identities:
    """The generations of this hub that fit this board, as the disk has them at each dial."""

    def __init__(
        self, root: Path, hub: str, board: str, now: Callable[[], float] = monotonic
    ) -> None:
        self._root, self._hub, self._board, self._now = root, hub, board, now
        self._again_at = -AGAIN_S  # before it, `next` is not tried
        self._rests = False  # the next dial is the current identity's turn

    def choose(self) -> tuple[Identity, bool] | LinkTrouble:
        """Return whose certificate the next dial sends, and whether it is `next`.

        `OTHER_BOARD`: there is none for this board; `NO_IDENTITY`: none can be read, or it has
        another name. It reads the disk.
        """
        rests, self._rests = self._rests, False
        if not rests and self._now() >= self._again_at:
            fresh = read(self._root, NEXT)
            if fresh is not None and fresh.hub == self._hub and fresh.fits(self._board):
                return fresh, True
        current = in_use(self._root)
        if current is None or current.hub != self._hub:
            return LinkTrouble.NO_IDENTITY
        return (current, False) if current.fits(self._board) else LinkTrouble.OTHER_BOARD

    def failed(self, trouble: LinkTrouble) -> bool:
        """Note that a dial with `next` failed; return whether to dial at once with the current."""
        self._rests = trouble is not LinkTrouble.UNREACHABLE  # there no certificate was sent
        refused = trouble in REFUSED
        if refused:
            self._again_at = self._now() + AGAIN_S
        return refused

    def stood(self, identity: Identity) -> bool:
        """Make `next` the current identity. It writes to the disk; raises `OSError`."""
        return prove(self._root, identity)


def settings_of(identity: Identity, settings: MqttSettings) -> MqttSettings:
    """Return the settings that dial with this identity."""
    files = {"ca": AUTHORITY, "cert": CERTIFICATE, "key": KEY}
    return replace(settings, **{key: identity.file(name) for key, name in files.items()})
