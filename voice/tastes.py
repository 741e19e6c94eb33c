"""What the resident has asked for, kept over a restart: slower, louder; and the volume by hour."""

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.times import left_of
from voice.settings import VoiceSettings

SLOWER, SLOWEST = 0.9, 0.6  # times what was; of natural speed
LOUDER_PCT, LOUDEST_PCT = 15.0, 100.0
NAME = "voice.json"


class Tastes(Struct, frozen=True):
    """How this resident wants to be spoken to, beside the settings."""

    speed: float = 1.0  # times the settings' speed
    louder_pct: float = 0.0  # more than the settings' volume

    def slower(self, settings: VoiceSettings) -> "Tastes":
        """Speak more slowly from now on, but not so slowly that words fall apart."""
        slowest = min(1.0, SLOWEST / settings.speed)
        return replace(self, speed=max(slowest, self.speed * SLOWER))

    def louder(self) -> "Tastes":
        """Speak louder from now on."""
        return replace(self, louder_pct=min(LOUDEST_PCT, self.louder_pct + LOUDER_PCT))

    def volume_pct(self, settings: VoiceSettings, local: float, *, urgent: bool) -> float:
        """Give the volume at `local` seconds of the home's own clock; by night only what is urgent
        is as loud as by day.
        """  # noqa: D205 - one promise in two lines
        night = left_of(settings.night_from, settings.night_until, local) > 0
        usual = settings.night_volume_pct if night and not urgent else settings.volume_pct
        return min(LOUDEST_PCT, usual + self.louder_pct)


def remembered(folder: Path) -> Tastes:
    """Give what was kept; what cannot be read counts as nothing asked for."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Tastes)
    except (OSError, msgspec.DecodeError):
        return Tastes()


def remember(tastes: Tastes, folder: Path) -> None:
    """Keep it; raises OSError."""
    fresh = folder / f"{NAME}.new"
    fresh.write_bytes(msgspec.json.encode(tastes))
    fresh.replace(folder / NAME)
