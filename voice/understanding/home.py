"""What a home understands: the phrases of its county, how keen its ear is, whether a cry counts.

Both the ears and `anbu voice understand` ask this, and nothing else. No engine is loaded here.
"""

from enum import StrEnum
from pathlib import Path
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from hub.shared.settings import SettingsError, text_of
from voice.settings import VoiceSettings
from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent, Understood
from voice.understanding.likeness import Evidence
from voice.understanding.phrases import Phrases
from voice.understanding.understand import Reason, Verdict, explain, sign_refused


class Sensitivity(StrEnum):
    """How little it takes for a call for help to be taken for one, unasked."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


KEEN = {Sensitivity.LOW: -1.0, Sensitivity.NORMAL: 0.0, Sensitivity.HIGH: 1.0}


class Understanding(Struct, frozen=True, eq=False):
    """How one home understands what it hears."""

    phrases: Phrases
    sensitivity: Sensitivity = Sensitivity.NORMAL
    spoken_sos: bool = True

    @classmethod
    def of(cls, settings: VoiceSettings) -> tuple[Self, str]:
        """Make it as the settings say; and why, where our phrases stand in for the county's."""
        known, wrong = phrases_of(settings)
        keen = Sensitivity(settings.sensitivity)
        return cls(known, keen, settings.spoken_sos), wrong

    def explain(self, evidence: Evidence, expecting: Expecting) -> Verdict:
        """Say what the evidence means after this question, and why."""
        keen = KEEN[self.sensitivity]
        verdict = explain(evidence, self.phrases, expecting, keen=keen)
        calls = verdict.understood.intent is Intent.HELP
        if not calls or expecting is not Expecting.NOTHING or self.spoken_sos:
            return verdict
        off = Reason.SWITCHED_OFF
        return replace(verdict, understood=Understood(), reason=off, refused=Intent.HELP)

    def sign_refused(self, evidence: Evidence, expecting: Expecting) -> tuple[str, str]:
        """Give a sign of danger that was not believed, and what refused it."""
        keen = KEEN[self.sensitivity]
        return sign_refused(evidence, self.phrases, expecting, keen=keen)


def phrases_of(settings: VoiceSettings) -> tuple[Phrases, str]:
    """Give the county's phrases; ours, and why, where they cannot be used."""
    if not settings.phrases:
        return phrases.load(), ""
    path = Path(settings.phrases)
    try:
        return phrases.load(text_of(path.read_bytes(), path.name), path.name), ""
    except OSError as error:
        return phrases.load(), f"phrases: {error.strerror}"
    except SettingsError as error:
        return phrases.load(), f"phrases: {error.mistakes[0]}"
