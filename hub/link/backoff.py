"""How long the hub waits before its next dial, and whether another machine uses its name.

Pure: no clock, no random.
"""

from msgspec import Struct

from hub.contract.wire import LinkTrouble
from hub.shared.backoff import exponential_s

FIRST_S = 1.0
URGENT_CAP_S = 1.5  # with a 5 s cap the client came back 2.1 s late, with paho's 120 s 11 s late
CAP_S = 12.0  # a hub without an SOS is connected again within 20 s after the network is back
REFUSED_S = 60.0  # nobody mends a certificate or an account within seconds
REFUSED_URGENT_S = 5.0
LONGEST_TURN_S = 480.0
BRIEF_S = 30.0  # if a broker ends sessions that are shorter than this and gives no reason,
SILENT_TURNS = 3  # so many times in a row, another machine takes our session
FORGOTTEN_S = 600.0  # after a session of this length, no other machine is assumed any more
REFUSALS = frozenset(
    {
        LinkTrouble.REFUSED,
        LinkTrouble.CERTIFICATE_EXPIRED,
        LinkTrouble.CERTIFICATE_UNKNOWN,
        LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY,
        LinkTrouble.CERTIFICATE_MALFORMED,
        LinkTrouble.CERTIFICATE_WRONG_NAME,
        LinkTrouble.CERTIFICATE_REVOKED,
        LinkTrouble.OTHER_BOARD,
    }
)


def delay_s(
    failures: int, trouble: LinkTrouble, *, urgent: bool, jitter: float, turns: int = 0
) -> float:
    """Return the wait before dial number `failures` + 1 in seconds, with full `jitter` (0..1).

    After a session the first redial is at once: most links that break can be made again.
    Exponential back-off with full jitter keeps a county's hubs from coming back all in the same
    second. A hub that is refused waits at least `REFUSED_S`. So does a hub that lost its session to
    another machine with the same name, twice as long after each of the `turns`: else both would
    disconnect each other without end. While an SOS waits, it is `REFUSED_URGENT_S`: that leaves
    either of them time to send a call.
    """
    if trouble in REFUSALS or trouble is LinkTrouble.TAKEN_OVER:
        lost = max(turns, 1) if trouble is LinkTrouble.TAKEN_OVER else 1
        turn_s = exponential_s(lost, first_s=REFUSED_S, longest_s=LONGEST_TURN_S)
        least = REFUSED_URGENT_S if urgent else turn_s
        return least * (1.0 + jitter / 2)
    cap = URGENT_CAP_S if urgent else CAP_S
    return exponential_s(failures, first_s=FIRST_S, longest_s=cap, jitter=jitter)


class Twin(Struct):
    """Whether another machine uses our name and certificate: a copied SD card, a stolen key.

    MQTT 5 has a reason code for it (0x8E). Mosquitto 2.0.11 does not send it, and MQTT 3.1.1 has
    none: there the broker closes the session without a reason, and so the next one.
    """

    turns: int = 0  # sessions lost to the other machine
    brief: int = 0  # sessions in a row that were short and ended without a reason

    def judge(self, trouble: LinkTrouble, lasted_s: float, *, silent: bool) -> LinkTrouble:
        """Note a session that lasted `lasted_s`; return why it ended.

        `silent`: the broker closed it in good order and gave no reason.
        """
        if lasted_s >= FORGOTTEN_S:
            self.turns = self.brief = 0
        self.brief = self.brief + 1 if silent and lasted_s < BRIEF_S else 0
        known = self.brief >= SILENT_TURNS or (silent and self.turns > 0)
        if trouble is LinkTrouble.TAKEN_OVER or known:
            self.turns = min(self.turns + 1, 10)
            return LinkTrouble.TAKEN_OVER
        return trouble
