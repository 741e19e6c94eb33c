"""What the resident asks of the voice itself (the time, slower, louder), and what is kept of it."""

import time
from concurrent.futures import ThreadPoolExecutor
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
from voice.understanding.intents import Intent

SLOWER, SLOWEST = 0.9, 0.6  # times the present speed; of natural speed
LOUDER_PCT, LOUDEST_PCT = 15.0, 100.0
NAME = "voice.json"
NOON_H = 12


class Preferences(Struct, frozen=True):
    """How this resident wants to be spoken to, beside the settings."""

    speed: float = 1.0  # times the settings' speed
    louder_pct: float = 0.0  # more than the settings' volume

    def slower(self, settings: VoiceSettings) -> "Preferences":
        """Speak more slowly from now on, but not so slowly that words fall apart."""
        slowest = min(1.0, SLOWEST / settings.speed)
        return replace(self, speed=max(slowest, self.speed * SLOWER))

    def louder(self) -> "Preferences":
        """Speak louder from now on."""
        return replace(self, louder_pct=min(LOUDEST_PCT, self.louder_pct + LOUDER_PCT))

    def volume_pct(self, settings: VoiceSettings, local: float, *, urgent: bool) -> float:
        """Return the volume at `local` seconds of the home's own clock.

        By night only what is urgent is as loud as by day.
        """
        night = left_of(settings.night_from, settings.night_until, local) > 0
        usual = settings.night_volume_pct if night and not urgent else settings.volume_pct
        return min(LOUDEST_PCT, usual + self.louder_pct)


def load(folder: Path) -> Preferences:
    """Return what was saved; a file that cannot be read counts as no preferences."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Preferences)
    except (OSError, msgspec.DecodeError):
        return Preferences()


def save(preferences: Preferences, folder: Path) -> None:
    """Save them. Raises OSError."""
    write_whole(folder / NAME, msgspec.json.encode(preferences))


class VoiceRequests:
    """Does what the resident asks of the voice itself, and keeps the preferences."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.state_dir)
        self._preferences = load(self._folder)
        # a slow card may hold an fsync for seconds; the loop that hears must not wait for it
        self._disk = ThreadPoolExecutor(max_workers=1)

    def answer(self, intent: Intent) -> str:
        """Do what was asked, and return what to say; empty for any other intent."""
        language = Language(self._settings.language)
        said = messages("voice", language)["say"]
        match intent:
            case Intent.TIME if clock_synced():
                return the_time(self.local(), language)
            case Intent.TIME:
                return said["time_unknown"]
            case Intent.SLOWER:
                self._preferences = self._preferences.slower(self._settings)
            case Intent.LOUDER:
                self._preferences = self._preferences.louder()
            case _:
                return ""
        self._disk.submit(self._save, self._preferences)
        return said[str(intent)]

    def _save(self, preferences: Preferences) -> None:
        with suppress(OSError):  # then it holds until the next start
            save(preferences, self._folder)

    def manner(self, urgent: bool) -> Manner:  # noqa: FBT001 - a fact
        """Return how to speak at present."""
        volume_pct = self._preferences.volume_pct(self._settings, self.local(), urgent=urgent)
        times = USUAL_SPEED / (self._settings.speed * self._preferences.speed)
        return Manner(volume_pct, times)

    def local(self) -> float:
        """Return the time of the home's own clock, in seconds since 1970."""
        return time.time() + self._settings.zone_h * 3600


def the_time(local: float, language: Language) -> str:
    """Return the sentence that tells the time at `local` seconds of the home's own clock."""
    at, words = time.gmtime(local), messages("voice", language)
    values = {
        "half": words["time"]["morning" if at.tm_hour < NOON_H else "afternoon"],
        "hour": at.tm_hour % NOON_H or NOON_H,
        "minute": at.tm_min,
    }
    clock = words["time"]["minutes" if at.tm_min else "whole"].format(**values)
    return words["say"]["time"].format(time=clock)
