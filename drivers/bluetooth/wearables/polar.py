"""Polar's own measurement service (PMD): intervals between beats of its optical bands.

Verity Sense and OH1 send no intervals in the Heart Rate service. Asked for them (PPI, pulse to
pulse), they send the first after about 25 s, then some every few seconds, each with its own error
estimate, and none of worth while the arm moves (polar-ble-sdk, documentation/PPIData.md). What
stands here is read from that SDK; none of it was tried on a device.
"""

from collections.abc import Iterable, Iterator

from drivers.bluetooth.air import LostError, Peripheral
from drivers.bluetooth.frames.octets import Refusal
from drivers.bluetooth.wearables.service import WITHHELD, Around, read
from hub.contract.radio import Fact, Pulse
from hub.core.model.wireless import Wearable

CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
FEATURES, HAS_INTERVALS = 0x0F, 0x08  # what the control point answers a read with
START_INTERVALS = b"\x02\x03"
INTERVALS, RAW = 0x03, 0x00  # measurement and frame type
HEADER, SAMPLE = 10, 6  # bytes: type, time, frame type; pulse, interval, error, flags
ERROR_MOST_MS = 30  # beyond it "movement, or a loose sensor", says the SDK
MOVED = 0x01  # flag; the flags of the skin's contact are not to be trusted, says its documentation
MOST = 64  # intervals of one `Pulse`
NOT_CLEAN = "not_clean"


class PolarService:
    """Asks for intervals where the band can measure them, and tells those that are clean."""

    wants = (DATA, CONTROL)
    measures = False  # the pulse of the Heart Rate service shows that it works

    def __init__(self, device: Wearable, around: Around) -> None:
        self._device, self._around = device, around

    def heard(self, characteristic: str, frame: bytes) -> None:
        """Tell the intervals of a frame. Those that are left out leave a gap in time."""
        if characteristic != DATA or frame[:1] != bytes([INTERVALS]):
            return
        if len(frame) <= HEADER or (len(frame) - HEADER) % SAMPLE or frame[HEADER - 1] != RAW:
            self._around.refuse(Refusal.TRUNCATED)
            return
        samples = list(_samples(frame))
        clean = tuple(float(ms) for bpm, ms, is_clean in samples if is_clean and bpm and ms)
        if len(clean) < len(samples):
            self._around.refuse(NOT_CLEAN)
        if clean:
            bpm = float(next(bpm for bpm, ms, is_clean in reversed(samples) if is_clean and bpm))
            self._around.tell(Pulse(self._device.name, bpm, rr_ms=clean[-MOST:]))

    async def begin(self, peripheral: Peripheral) -> None:
        """Ask for intervals. Raises LostError."""
        features = await read(peripheral, CONTROL)
        if features is None or features[:1] != bytes([FEATURES]):
            return
        if len(features) > 1 and features[1] & HAS_INTERVALS:
            try:
                await peripheral.write(CONTROL, START_INTERVALS)
            except LostError as error:
                if error.reason not in WITHHELD:
                    raise

    def end(self) -> None:
        """Hold nothing back."""

    def greeting(self) -> Iterable[Fact]:
        """Nothing lasts."""
        return ()


def _samples(frame: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield of each beat the pulse, the interval in ms, and whether that is clean."""
    for at in range(HEADER, len(frame), SAMPLE):
        bpm, ms, error_ms, flags = (
            frame[at],
            int.from_bytes(frame[at + 1 : at + 3], "little"),
            int.from_bytes(frame[at + 3 : at + 5], "little"),
            frame[at + 5],
        )
        yield bpm, ms, not flags & MOVED and error_ms <= ERROR_MOST_MS
