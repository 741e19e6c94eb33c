"""The only module that imports PyAudio: devices by a part of their name, streams, own errors.

PortAudio lists devices only when it starts: one that was plugged in later is seen after `rescan`,
for which no stream may be open. ALSA and Jack write pages to stderr meanwhile: see `hush`.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from time import monotonic
from typing import Protocol, TypeVar, cast

import pyaudio
from msgspec import Struct

T = TypeVar("T")
UNDERFLOWED = -9980  # PaErrorCode
LEAST_S = 0.03  # of latency: a driver may say that it holds no sound


def hush() -> None:
    """Discard what C libraries print for the rest of the process; Python's stderr stays."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    os.dup2(nowhere := os.open(os.devnull, os.O_WRONLY), 2)
    os.close(nowhere)


class Reason(StrEnum):
    """Why there is no sound."""

    MISSING = "missing"  # no such device
    REFUSED = "refused"  # busy, or it does not know the rate
    LOST = "lost"  # it was there a moment ago
    IN_USE = "in_use"  # by ourselves: the devices cannot be listed anew now


class SoundError(Exception):
    """A device or stream failed; `reason` says how."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


class Device(Struct, frozen=True):
    """A sound device as PortAudio numbers it until the next `rescan`."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate_hz: int


class _Raw(Protocol):
    def read(self, frames: int, exception_on_overflow: bool) -> bytes: ...  # noqa: FBT001
    def write(self, frames: bytes) -> None: ...
    def get_input_latency(self) -> float: ...
    def stop_stream(self) -> None: ...
    def close(self) -> None: ...


class Stream:
    """An open stream of 16-bit samples; whoever opened it closes it."""

    def __init__(self, raw: _Raw, owner: "PortAudio", rate_hz: int, channels: int) -> None:
        self._raw, self._owner, self._read_at = raw, owner, float("inf")
        self.rate_hz, self.channels = rate_hz, channels

    def read(self, frames: int) -> bytes | None:
        """Wait for `frames`; None when sound was lost (an overflow). Raises SoundError."""
        try:
            lost = monotonic() > self._read_at + 2 * max(self._raw.get_input_latency(), LEAST_S)
            # With True it tells of an overflow, but closes the stream; so we measure the time.
            pcm = self._raw.read(frames, False)  # noqa: FBT003 - PyAudio's own signature
            self._read_at = monotonic()
        except OSError as error:
            raise SoundError(Reason.LOST, str(error)) from error
        return None if lost else pcm

    def write(self, pcm: bytes) -> None:
        """Play; wait while the device's buffer is full. Raises SoundError."""
        try:
            self._raw.write(pcm)
        except OSError as error:
            if UNDERFLOWED not in error.args:
                raise SoundError(Reason.LOST, str(error)) from error

    def finish(self) -> None:
        """Wait until all that was written has been heard. Raises SoundError."""
        try:
            self._raw.stop_stream()
        except OSError as error:
            raise SoundError(Reason.LOST, str(error)) from error

    def close(self) -> None:
        """Close the stream; never raises."""
        with suppress(OSError):
            self._raw.close()
        self._owner.stream_closed()


class PortAudio:
    """PortAudio, started when it is first asked. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._library: pyaudio.PyAudio | None = None
        self._open = 0

    def devices(self) -> tuple[Device, ...]:
        """List the devices as of the start, or the last `rescan`. Raises SoundError."""
        with self._lock:
            library = self._started()
            look, count = library.get_device_info_by_index, library.get_device_count
            found = _translated(Reason.MISSING, lambda: [look(n) for n in range(count())])
        return tuple(map(_device, found))

    def find(self, part: str, *, playing: bool) -> Device:
        """Return the first device with `part` in its name, or the default one.

        Raises SoundError (missing).
        """
        able = [d for d in self.devices() if (d.outputs if playing else d.inputs) > 0]
        if not part:
            with self._lock:
                part = _default(self._started(), playing=playing)
        for device in able:
            if part.casefold() in device.name.casefold():
                return device
        raise SoundError(Reason.MISSING, part or "no device at all")

    def record(self, device: Device, rate_hz: int, frames: int, channels: int = 1) -> Stream:
        """Open a microphone for reads of `frames`. Raises SoundError (refused)."""
        return self._stream(device, rate_hz, frames, channels, playing=False)

    def play(self, device: Device, rate_hz: int, frames: int, channels: int = 1) -> Stream:
        """Open a loudspeaker. Raises SoundError (refused)."""
        return self._stream(device, rate_hz, frames, channels, playing=True)

    def rescan(self) -> None:
        """List the devices anew at the next use. Raises SoundError (in_use): a stream is open."""
        with self._lock:
            if self._open:
                raise SoundError(Reason.IN_USE)
            self._end()

    def close(self) -> None:
        """End PortAudio."""
        with self._lock:
            self._end()

    def stream_closed(self) -> None:
        """Count a stream that has been closed."""
        with self._lock:
            self._open -= 1

    def _stream(
        self, device: Device, rate_hz: int, frames: int, channels: int, *, playing: bool
    ) -> Stream:
        with self._lock:
            library = self._started()
            raw = _translated(Reason.REFUSED, lambda: library.open(
                rate=rate_hz, channels=channels, format=pyaudio.paInt16,
                input=not playing, output=playing, frames_per_buffer=frames,
                input_device_index=None if playing else device.index,
                output_device_index=device.index if playing else None,
            ))  # fmt: skip
            self._open += 1
        return Stream(cast("_Raw", raw), self, rate_hz, channels)

    def _started(self) -> pyaudio.PyAudio:
        if self._library is None:
            self._library = _translated(Reason.MISSING, pyaudio.PyAudio)
        return self._library

    def _end(self) -> None:
        if self._library is not None:
            self._library.terminate()
            self._library = None


class Patience:
    """Measures how long the call to PortAudio under way takes; asked from another thread."""

    def __init__(self) -> None:
        self._since: float | None = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count what happens inside as one call."""
        self._since = monotonic()
        try:
            yield
        finally:
            self._since = None

    def tried_s(self) -> float:
        """Return the seconds since the call under way began; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else monotonic() - since


def _device(info: dict[str, str | int | float]) -> Device:
    inputs, outputs = (int(info[f"max{way}Channels"]) for way in ("Input", "Output"))
    rate_hz = int(info["defaultSampleRate"])
    return Device(int(info["index"]), str(info["name"]), inputs, outputs, rate_hz)


def _default(library: pyaudio.PyAudio, *, playing: bool) -> str:
    outward, inward = library.get_default_output_device_info, library.get_default_input_device_info
    return str(_translated(Reason.MISSING, outward if playing else inward)["name"])


def _translated(reason: Reason, work: Callable[[], T]) -> T:
    try:
        return work()
    except (OSError, ValueError, LookupError, TypeError) as error:  # PyAudio's own among them
        raise SoundError(reason, str(error)) from error
