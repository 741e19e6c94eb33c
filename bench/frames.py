"""A million frames from the air: each is read or refused by a reason, and nothing else happens.

Random bytes, and valid adverts and notifications with bytes turned, cut, doubled or spliced, in
turn to each parser, in the clear and encrypted. Then the same through what the radio process does
with an advert of a listed device, and 2,200 adverts a second of strangers beside it. The floor is a
call that only looks at the first byte.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from bench.report import Report, arguments
from drivers.bluetooth.air import BTHOME, Advert
from drivers.bluetooth.frames import bthome, gatt
from drivers.bluetooth.sensors import Sensors
from hub.contract.radio import Pressed
from hub.core.model.rules import Sense
from hub.core.model.wireless import Pendant, WirelessSensor

FULL, SHORT = 1_000_000, 20_000
STRANGERS, PER_S = 200, 2200
LONGEST = 31  # bytes of an advert
ADDRESS, KEY = "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CIPHER = bthome.Cipher(ADDRESS, KEY)
PLAIN, SEALED = "bthome", "bthome, with a key"
READERS: dict[str, gatt.Reader] = {
    "2a37": gatt.heart_rate,
    "2a35": gatt.pressure,
    "2a5e": gatt.spot_oxygen,
    "2a5f": gatt.continuous_oxygen,
    "2a1c": gatt.temperature,
    "2a19": gatt.charge,
}
VALID = {
    PLAIN: ("440088016405e803002d013f0000", "44005a01643a01", "40020cfe", "445302c0def10a0b0c0d"),
    SEALED: ("459e29e26317a901e7226abef80d80", "451621411780750300000072a51d99", "44006001643a01"),
    "2a37": ("0048", "1f50000a0000040003", "10b45501550156015501", "0400"),
    "2a35": ("1e7b0050005d00ea070b1d0e1e004800010000", "10ff07ff07ff070400"),
    "2a5e": ("0061004800", "1f61004800ea070b1d0e1e0020000000000ff0"),
    "2a5f": ("1f5f004a0060004b005e00490020000000000ff0", "00caf3d0f2"),
    "2a1c": ("006e0100ff", "07da0300ffea070b1d0e1e0002"),
    "2a19": ("64",),
}  # fmt: skip
Frame = tuple[str, bytes]


class Forge:
    """Makes frames from one seed, so that each can be made again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._valid = {kind: [bytes.fromhex(one) for one in some] for kind, some in VALID.items()}
        self._kinds = list(VALID)

    def frames(self, count: int) -> list[Frame]:
        """Return so many frames, of each kind in turn."""
        return [self._frame(self._kinds[n % len(self._kinds)]) for n in range(count)]

    def _frame(self, kind: str) -> Frame:
        data = self._random.choice(self._valid[kind])
        if self._random.random() < 0.15:
            data = self._random.randbytes(self._random.randrange(LONGEST))
        for _ in range(self._random.choice((0, 1, 1, 2, 5))):
            data = self._turn(data, kind)
        return kind, data[:LONGEST]

    def _turn(self, data: bytes, kind: str) -> bytes:
        pick = self._random.randrange
        a, b = sorted((pick(len(data) + 1), pick(len(data) + 1)))
        match pick(4):
            case 0:
                return data[:a] + bytes([pick(256)]) + data[a + 1 :]
            case 1:
                return data[:a]
            case 2:
                return data[:b] + data[a:]
            case _:
                other = self._random.choice(self._valid[kind])
                return data[:a] + other[pick(len(other) + 1) :]


def read(frames: Sequence[Frame]) -> Counter[str]:
    """Read each; count what became of them. Whatever is raised is a finding."""
    found = Counter[str]()
    for kind, data in frames:
        if kind == PLAIN:
            reason = bthome.read(data).reason
        elif kind == SEALED:
            reason = bthome.read(data, CIPHER).reason
        else:
            reason = READERS[kind](data).reason
        found[reason or "read"] += 1
    return found


def overheard(frames: Sequence[Frame]) -> tuple[Counter[str], int]:
    """Return what was refused of adverts of two listed devices, and how many presses there were."""
    sensors, presses = Sensors("bench"), 0
    sensors.follow([
        Pendant("pendant", ADDRESS, KEY), WirelessSensor("door", "7C:C6:B6:00:00:01", Sense.DOOR)
    ])  # fmt: skip
    for n, (kind, data) in enumerate(frames):
        address = ADDRESS if kind == SEALED else "7C:C6:B6:00:00:01"
        words = sensors.heard(Advert(float(n), address, "", -60, {BTHOME: data}))
        presses += sum(isinstance(word, Pressed) for word in words)
    return sensors.refused, presses


def strangers(seconds: int) -> float:
    """Return the share of a core that the adverts of strangers take, in percent."""
    sensors = Sensors("bench")
    sensors.follow([Pendant("pendant", ADDRESS, KEY)])
    data = {BTHOME: bytes.fromhex("44005a01643a01")}
    adverts = [Advert(0.0, f"00:11:22:33:44:{n:02X}", "", -80, data) for n in range(STRANGERS)]
    began = time.process_time()
    for n in range(seconds * PER_S):
        sensors.heard(adverts[n % STRANGERS])
    return 100.0 * (time.process_time() - began) / seconds


def _took_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _look(frames: Sequence[Frame]) -> int:
    def first(data: bytes) -> int:
        return data[0] if data else 0

    return sum(first(data) for _, data in frames)


def main() -> int:
    """Run the bench."""
    parser = arguments(__doc__)
    parser.add_argument("--count", type=int, default=0, help="how many frames")
    parser.add_argument("--seed", type=int, default=1, help="which frames")
    args = parser.parse_args()
    count = args.count or (SHORT if args.short else FULL)
    frames = Forge(args.seed).frames(count)
    report = Report(f"{count} frames, valid, malformed and random; seed {args.seed}")
    found = Counter[str]()
    took_s = _took_s(lambda: found.update(read(frames)))
    report.add("read or refused", found.total(), "frames", at_least=count)
    for what, times in sorted(found.items()):
        report.add(f"  {what}", times, "frames")
    floor = count / _took_s(lambda: _look(frames))
    report.add("speed", count / took_s, "frames/s", at_least=PER_S, floor=floor, hard=False)
    refused, presses = overheard([one for one in frames if one[0] in {PLAIN, SEALED}])
    report.add("presses of a listed pendant", presses, "presses")
    for what, times in sorted(refused.items()):
        report.add(f"  refused: {what}", times, "frames")
    report.add(f"{PER_S} adverts/s of strangers", strangers(10), "%", at_most=1.0)
    return report.finish(as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
