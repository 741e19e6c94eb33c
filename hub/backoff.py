"""How long to wait before the next dial."""

from hub.core.events import LinkTrouble

FIRST_S = 0.5
URGENT_CAP_S = 1.5  # with a 5 s cap the client came back 2.1 s late, with paho's 120 s 11 s late
CAP_S = 12.0  # an idle hub is back within 20 s of the network
REFUSED_S = 60.0  # a certificate or an account does not mend itself in seconds
REFUSED_URGENT_S = 5.0
REFUSALS = frozenset(
    {
        LinkTrouble.REFUSED,
        LinkTrouble.TAKEN_OVER,
        LinkTrouble.CERTIFICATE_EXPIRED,
        LinkTrouble.CERTIFICATE_UNKNOWN,
        LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY,
        LinkTrouble.CERTIFICATE_MALFORMED,
        LinkTrouble.CERTIFICATE_WRONG_NAME,
    }
)


def delay_s(failures: int, trouble: LinkTrouble, *, urgent: bool, jitter: float) -> float:
    """Give the wait before dial number `failures` + 1 in seconds, with full `jitter` (0..1).

    The first redial is at once: most links that break can be made again. Exponential back-off
    with full jitter keeps a county's hubs from coming back all in the same second.
    """
    if trouble in REFUSALS:
        return (REFUSED_URGENT_S if urgent else REFUSED_S) * (0.5 + jitter / 2)
    cap = URGENT_CAP_S if urgent else CAP_S
    return min(cap, FIRST_S * 2.0 ** min(failures, 10)) * jitter if failures else 0.0
