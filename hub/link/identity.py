"""With which of the hub's identities a broker is dialled.

    current --`next` appears--> next tried --a session stands--> it is the current one
                 ^                 '--closed or refused--> current at once; this broker gets
                                        `next` again after 10 min, or when it fails current too
                 '--no answer--> current on the following dial of this broker

What one broker did says nothing of another. Where a broker has failed both, they take turns, one a
dial: one of the two may be good, and it is not known which.

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

AGAIN_S = 600.0  # for so long it counts what a broker did: it may get the new authority later


class Identities:
    """The generations of this hub that fit this board, as the disk has them at each dial."""

    def __init__(
        self, root: Path, hub: str, board: str, now: Callable[[], float] = monotonic
    ) -> None:
        self._root, self._hub, self._board, self._now = root, hub, board, now
        self._failures: dict[tuple[str, int], tuple[LinkTrouble, float]] = {}  # broker, generation
        self._usable: tuple[int, ...] = ()  # the generations at the last dial

    def choose(self, broker: str) -> tuple[Identity, bool] | LinkTrouble:
        """Return whose certificate this broker is sent, and whether it is `next`.

        `OTHER_BOARD`: there is none for this board; `NO_IDENTITY`: none can be read, or it has
        another name. It reads the disk.
        """
        fresh, current = read(self._root, NEXT), in_use(self._root)
        ours = [one for one in (fresh, current) if one is not None and one.hub == self._hub]
        usable = {one.number: one for one in ours if one.fits(self._board)}
        self._usable = tuple(usable)
        if not usable:
            none = current is None or current.hub != self._hub
            return LinkTrouble.NO_IDENTITY if none else LinkTrouble.OTHER_BOARD
        chosen = usable[min(usable, key=lambda number: self._failed_at(broker, number))]
        return chosen, chosen == fresh

    def failed(self, broker: str, identity: Identity, trouble: LinkTrouble) -> bool:
        """Note that a dial failed; return whether to dial this broker with the other one at once.

        Not where nothing came back; nor where the broker has closed on both before: one dial a
        turn, as with one certificate.
        """
        if trouble is LinkTrouble.UNREACHABLE:  # no certificate was sent
            return False
        own = self._why(broker, identity.number)
        self._failures[broker, identity.number] = trouble, self._now()
        others = [self._why(broker, one) for one in self._usable if one != identity.number]
        if trouble in {LinkTrouble.TIMEOUT, LinkTrouble.TAKEN_OVER} or not others:
            return False
        return own is None or others[0] in {None, LinkTrouble.TIMEOUT}

    def took(self, broker: str, identity: Identity) -> None:
        """Note that a session stands."""
        self._failures.pop((broker, identity.number), None)

    def refused(self, broker: str) -> bool:
        """Whether this broker has said no to each of them. One that closes has said nothing."""
        return all(self._why(broker, number) in REFUSALS for number in self._usable)

    def _why(self, broker: str, number: int) -> LinkTrouble | None:
        why, at = self._failures.get((broker, number), (None, 0.0))
        return why if self._now() < at + AGAIN_S else None

    def _failed_at(self, broker: str, number: int) -> float:
        """Return when a broker failed this generation; before all time where it did not lately."""
        _, at = self._failures.get((broker, number), (None, 0.0))
        return -1.0 if self._why(broker, number) is None else at

    def stood(self, identity: Identity) -> bool:
        """Make `next` the current identity. It writes to the disk; raises `OSError`."""
        return prove(self._root, identity)


def settings_of(identity: Identity, settings: MqttSettings) -> MqttSettings:
    """Return the settings that dial with this identity."""
    files = {"ca": AUTHORITY, "cert": CERTIFICATE, "key": KEY}
    return replace(settings, **{key: identity.file(name) for key, name in files.items()})
