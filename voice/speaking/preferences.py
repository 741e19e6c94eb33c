"""What the voice does for the resident by itself: the time, slower, louder."""

import time
from contextlib import suppress
from pathlib import Path

from voice.health import clock_synced
from voice.settings import VoiceSettings
from voice.speaking import texts
from voice.speaking.mouth import USUAL_SPEED
from voice.speaking.speech import Manner
from voice.tastes import remember, remembered
from voice.understanding.understand import Intent


class Service:
    """Keeps how this resident wants to be spoken to."""

    def __init__(self, settings: VoiceSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.state_dir)
        self._tastes = remembered(self._folder)

    def serve(self, intent: Intent) -> str:
        """Do what is asked of the voice itself; give words for it, or none for anything else."""
        said = texts.words("say", self._settings.language)
        match intent:
            case Intent.TIME if clock_synced():
                return texts.the_time(self.local(), self._settings.language)
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
