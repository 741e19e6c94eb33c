"""What the voice does for the resident by itself: the time, slower, louder."""

import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.contract.times import left_of
from hub.shared.files import write_whole
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.system import clock_synced
from voice.settings import VoiceSettings
from voice.speaking.mouth import USUAL_SPEED
from voice.speaking.speech import Manner
from voice.understanding.understand import Intent

SLOWER, SLOWEST = 0.9, 0.6  # times what was; of natural speed
LOUDER_PCT, LOUDEST_PCT = 15.0, 100.0
NAME = "voice.json"
NOON_H = 12


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
    write_whole(folder / NAME, msgspec.json.encode(tastes))


def the_time(local: float, language: Language) -> str:
    """Say what time it is at `local` seconds of the home's own clock, in figures."""
    at, words = time.gmtime(local), messages("voice", language)
    values = {
        "half": words["time"]["morning" if at.tm_hour < NOON_H else "afternoon"],
        "hour": at.tm_hour % NOON_H or NOON_H,
        "minute": at.tm_min,
    }
    clock = words["time"]["minutes" if at.tm_min else "whole"].format(**values)
    return words["say"]["time"].format(time=clock)


class Service:
    """Keeps how this resident wants to be spoken to."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.state_dir)
        self._tastes = remembered(self._folder)

    def serve(self, intent: Intent) -> str:
        """Do what is asked of the voice itself; give words for it, or none for anything else."""
        said = messages("voice", Language(self._settings.language))["say"]
        match intent:
            case Intent.TIME if clock_synced():
                return the_time(self.local(), Language(self._settings.language))
            case Intent.TIME:
                return said["time_unknown"]
            case Intent.SLOWER:
                self._tastes = self._tastes.slower(self._settings)
            case Intent.LOUDER:
                self._tastes = self._tastes.louder()
            case _:
                return ""
        with suppress(OSError):  # then it holds until the next start
            remember(self._tastes, self._folder)
        return said[str(intent)]

    def manner(self, urgent: bool) -> Manner:  # noqa: FBT001 - a fact
        """Say how to speak just now."""
        volume_pct = self._tastes.volume_pct(self._settings, self.local(), urgent=urgent)
        return Manner(volume_pct, USUAL_SPEED / (self._settings.speed * self._tastes.speed))

    def local(self) -> float:
        """Give the time of the home's own clock, in seconds since 1970."""
        return time.time() + self._settings.zone_h * 3600
