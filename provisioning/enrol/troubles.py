"""Why there is no certificate. The words for people are in `provisioning/messages`, `[enrol]`."""

import errno
import socket
import ssl
from enum import StrEnum

from hub.contract.provision import (
    EXPIRED,
    NO_IDENTITY,
    NOT_YET_VALID,
    OTHER_KEY,
    OWN_REFUSED,
    REVOKED,
)
from hub.shared import tls
from hub.shared.tls import Flaw


class EnrolTrouble(StrEnum):
    """What keeps a hub from its certificate."""

    NOT_SET_UP = "not_set_up"  # the county's file is missing, or names no centre
    NO_NETWORK = "no_network"  # no way to the centre
    NO_NAME = "no_name"  # its name cannot be looked up
    NOBODY = "nobody"  # its machine answers, its program does not
    TIMEOUT = "timeout"
    CLOCK = "clock"  # the hub's clock is wrong, so no certificate can be checked
    NOT_THE_CENTER = "not_the_center"  # another machine answers at its address
    CENTER_EXPIRED = "center_expired"  # its certificate, or the authority that this hub knows
    OWN_REFUSED = OWN_REFUSED  # it does not accept this hub's certificate any more
    TLS = "tls"
    PORTAL = "portal"  # a page for signing in to a Wi-Fi answers
    BUSY = "busy"  # ask later
    REFUSED = "refused"  # the centre says no
    UNREADABLE = "unreadable"  # what it answers is no answer of EST
    OTHER_KEY = OTHER_KEY  # the certificate is not for this hub's key
    NO_ROOM = "no_room"  # the disk is full, or cannot be written
    OTHER_BOARD = "other_board"  # the identity on this card was made for another board
    NO_IDENTITY = NO_IDENTITY  # the hub had one, and nothing on its disk can be read
    REVOKED = REVOKED  # struck off, or replaced; it has to be registered anew
    OWN_FILE = "own_file"  # a file of this hub cannot be read: nothing is stored in its place
    NEWER = "newer"  # what the centre keeps was made by a newer program: it is not overwritten
    EXPIRED = EXPIRED  # the hub's certificate; it has to be registered anew
    NOT_YET_VALID = NOT_YET_VALID  # the hub's certificate: the centre's clock was ahead


class EnrolError(Exception):
    """A step failed; `trouble` says why, `after_s` when the centre wants to be asked again.

    `reason`: the centre's own word for a refusal, which another EST server does not say.
    """

    def __init__(
        self, trouble: EnrolTrouble, detail: str = "", after_s: float = 0.0, reason: str = ""
    ) -> None:
        super().__init__(f"{trouble}: {detail}" if detail else trouble)
        self.trouble, self.detail, self.after_s, self.reason = trouble, detail, after_s, reason


FLAWS = {
    Flaw.NOT_YET_VALID: EnrolTrouble.CLOCK,
    Flaw.EXPIRED: EnrolTrouble.CENTER_EXPIRED,
}
NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def trouble_of(error: BaseException) -> EnrolTrouble:
    """Return what an error of the network means; those that it was raised from count as well."""
    for one in _causes(error):
        match one:
            case ssl.SSLCertVerificationError():
                return FLAWS.get(tls.flaw_of(one), EnrolTrouble.NOT_THE_CENTER)
            case ssl.SSLError():
                refused = tls.alert_in(str(one)) is not None
                return EnrolTrouble.OWN_REFUSED if refused else EnrolTrouble.TLS
            case socket.gaierror():
                return EnrolTrouble.NO_NAME
            case TimeoutError():
                return EnrolTrouble.TIMEOUT
            case ConnectionError():
                return EnrolTrouble.NOBODY
            case OSError(errno=number) if number in NO_WAY:
                return EnrolTrouble.NO_NETWORK
            case _:
                pass
    return EnrolTrouble.NO_NETWORK


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what stands in it: urllib3 hands on reasons in three ways."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found[::-1]  # the innermost first
