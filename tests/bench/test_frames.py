"""Frames from the air in short form; `bench/frames.py` reads a million."""

from bench.frames import PLAIN, SEALED, SHORT, Forge, overheard, read
from drivers.bluetooth.frames.octets import Refusal


def test_every_frame_is_read_or_refused_by_a_reason() -> None:
    found = read(Forge(1).frames(SHORT))
    assert found.total() == SHORT
    assert set(found) <= {"read", *Refusal}
    assert found["read"] > SHORT / 10
    assert found[Refusal.NOT_AUTHENTIC] > 0


def test_no_malformed_advert_is_a_press_of_the_pendant() -> None:
    adverts = [one for one in Forge(2).frames(SHORT) if one[0] in {PLAIN, SEALED}]
    refused, presses = overheard(adverts)
    assert set(refused) <= set(Refusal)
    genuine = {"459e29e26317a901e7226abef80d80", "451621411780750300000072a51d99"}
    heard = sum(data.hex() in genuine for kind, data in adverts if kind == SEALED)
    assert 2 <= presses <= heard
