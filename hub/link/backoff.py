"""How long the hub waits before its next dial, and whether another machine dials in its name.

Pure: no clock, no random.
"""

from msgspec import Struct

from hub.contract.wire import LinkTrouble
from hub.shared.backoff import exponential_s

FIRST_S = 1.0
URGENT_CAP_S = 1.5  # with a 5 s cap the client came back 2.1 s late, with paho's 120 s 11 s late
CAP_S = 12.0  # an idle hub is back within 20 s of the network
REFUSED_S = 60.0  # a certificate or an account does not mend itself in seconds
REFUSED_URGENT_S = 5.0
LONGEST_TURN_S = 480.0
BRIEF_S = 30.0  # a broker that ends so short a session without a word, again and again ...
SILENT_TURNS = 3  # ... so often in a row, gives our session to somebody else
FORGOTTEN_S = 600.0  # after a session of this length nobody else is thought to be there
REFUSALS = frozenset(
    {
        LinkTrouble.REFUSED,
        LinkTrouble.CERTIFICATE_EXPIRED,
        LinkTrouble.CERTIFICATE_UNKNOWN,
        LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY,
        LinkTrouble.CERTIFICATE_MALFORMED,
        LinkTrouble.CERTIFICATE_WRONG_NAME,
        LinkTrouble.CERTIFICATE_REVOKED,
    }
)


def delay_s(
    failures: int, trouble: LinkTrouble, *, urgent: bool, jitter: float, turns: int = 0
) -> float:
    """Return the wait before dial number `failures` + 1 in seconds, with full `jitter` (0..1).

    The first redial is at once: most links that break can be made again. Exponential back-off
    with full jitter keeps a county's hubs from coming back all in the same second. Who is refused
    waits at least `REFUSED_S`, and so does who was thrown off by another with the same name: twice
    as long after each of the `turns`, or both would throw each other off without end. With an SOS
    that waits it is 5 s: either of them can hand a call over in between.
    """
    if trouble in REFUSALS or trouble is LinkTrouble.TAKEN_OVER:
        lost = max(turns, 1) if trouble is LinkTrouble.TAKEN_OVER else 1
        turn_s = exponential_s(lost, first_s=REFUSED_S, longest_s=LONGEST_TURN_S)
        least = REFUSED_URGENT_S if urgent else turn_s
        return least * (1.0 + jitter / 2)
    cap = URGENT_CAP_S if urgent else CAP_S
    return exponential_s(failures, first_s=FIRST_S, longest_s=cap, jitter=jitter)


class Twin(Struct):
    """Whether somebody else dials with our name and certificate: a copied SD card, a stolen key.

    MQTT 5 has a word for it (reason 0x8E), which Mosquitto 2.0.11 does not say, nor any broker in
    MQTT 3.1.1: there the session is closed without a word, and so is the next one.
    """

    turns: int = 0  # sessions lost to it
    brief: int = 0  # sessions in a row that were short and ended without a word

    def judge(self, trouble: LinkTrouble, lasted_s: float, *, silent: bool) -> LinkTrouble:
        """Note a session that stood for `lasted_s`; return why it ended.

        `silent`: the broker closed it in good order, without a word.
        """
        if lasted_s >= FORGOTTEN_S:
            self.turns = self.brief = 0
        self.brief = self.brief + 1 if silent and lasted_s < BRIEF_S else 0
        known = self.brief >= SILENT_TURNS or (silent and self.turns > 0)
        if trouble is LinkTrouble.TAKEN_OVER or known:
            self.turns = min(self.turns + 1, 10)
            return LinkTrouble.TAKEN_OVER
        return trouble
