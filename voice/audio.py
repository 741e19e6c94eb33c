"""A piece of sound."""

from msgspec import Struct


class Audio(Struct, frozen=True):
    """Mono sound of 16-bit samples, little endian, at `rate_hz`."""

    pcm: bytes
    rate_hz: int

    @property
    def seconds(self) -> float:
        """Give how long it lasts."""
        return len(self.pcm) / 2 / self.rate_hz
