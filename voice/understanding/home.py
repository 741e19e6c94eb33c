"""Understanding as one home has it: its county's phrases, its sensitivity, spoken calls or not.

Both hearing and `anbu voice understand` ask this module. No engine is loaded here.
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
    """How little a call for help needs to be understood, unasked."""

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
        """Return it as the settings say, and why our phrases replace the county's, if they do."""
        known, wrong = phrases_of(settings)
        keen = Sensitivity(settings.sensitivity)
        return cls(known, keen, settings.spoken_sos), wrong

    def explain(self, evidence: Evidence, expecting: Expecting) -> Verdict:
        """Return what the evidence means after this question, and why."""
        keen = KEEN[self.sensitivity]
        verdict = explain(evidence, self.phrases, expecting, keen=keen)
        calls = verdict.understood.intent is Intent.HELP
        if not calls or expecting is not Expecting.NOTHING or self.spoken_sos:
            return verdict
        off = Reason.SWITCHED_OFF
        return replace(verdict, understood=Understood(), reason=off, refused=Intent.HELP)

    def sign_refused(self, evidence: Evidence, expecting: Expecting) -> tuple[str, str]:
        """Return a sign of danger that was not believed, and what refused it."""
        keen = KEEN[self.sensitivity]
        return sign_refused(evidence, self.phrases, expecting, keen=keen)


def phrases_of(settings: VoiceSettings) -> tuple[Phrases, str]:
    """Return the county's phrases; if they cannot be used ours, and why."""
    if not settings.phrases:
        return phrases.load(), ""
    path = Path(settings.phrases)
    try:
        return phrases.load(text_of(path.read_bytes(), path.name), path.name), ""
    except OSError as error:
        return phrases.load(), f"phrases: {error.strerror}"
    except SettingsError as error:
        return phrases.load(), f"phrases: {error.mistakes[0]}"
