"""How long a sign-in must wait after failures: pure.

Failures are counted for an account *at* an address, and for an address. Nothing is counted for an
account alone: whoever knows a name could lock its owner out. A device from which the account was
signed in to before has a count of its own, and those of its address do not touch it.
"""

from ipaddress import IPv6Address, ip_address

from msgspec import Struct

FREE = 3  # failures that cost nothing: fingers slip
FREE_OF_ADDRESS = 30  # an office behind one address
LONGEST_S = 300.0
FORGOTTEN_S = 3600.0  # a quiet hour forgives
NAMES_MAX = 10_000  # names and addresses remembered; the oldest go first


class Failures(Struct, frozen=True):
    """Failures in a row, and when the last one was (UTC seconds)."""

    count: int
    last_utc: float


Book = dict[str, Failures]


def keys(name: str, address: str, device: str = "") -> tuple[tuple[str, int], ...]:
    """Name the counts that a try belongs to, with the failures that each has free.

    `device` is a known device's own mark, empty for a stranger's.
    """
    if device:
        return ((f"device {device}", FREE),)
    place = network(address)
    return ((f"account {name[:64]} at {place}", FREE), (f"address {place}", FREE_OF_ADDRESS))


def network(address: str) -> str:
    """Give what belongs to one subscriber: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        four = found.ipv4_mapped
        return str(four) if four else str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def wait_s(failures: Failures | None, now_utc: float, free: int = FREE) -> float:
    """Give the seconds until the next try is allowed: 2, 4, 8 ... after the free ones."""
    if failures is None or failures.count < free:
        return 0.0
    pause = min(LONGEST_S, 2.0 ** min(failures.count - free + 1, 16))
    return max(0.0, failures.last_utc + pause - now_utc)


def failed(book: Book, key: str, now_utc: float) -> Book:
    """Note a failure of `key` in a copy of the book."""
    kept = {k: f for k, f in book.items() if now_utc - f.last_utc < FORGOTTEN_S}
    before = kept.pop(key, None)
    while len(kept) >= NAMES_MAX:
        kept.pop(next(iter(kept)))
    kept[key] = Failures((before.count if before else 0) + 1, now_utc)
    return kept
