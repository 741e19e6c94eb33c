"""Whether a home has a voice, and what it can do: so the centre knows who will hear it there."""

from msgspec import Struct

from hub.contract.border import Open


class VoiceCan(Open):
    """How much of a voice there is, as the hub knows it."""

    NOTHING = "nothing"  # none is set up: whoever lives there hears nothing of us
    STARTING = "starting"  # it has yet to say what it can do, or is found lost within 20 s
    LOST = "lost"  # it is set up and does not come, or can neither speak nor hear
    HEARING = "hearing"  # without a loudspeaker
    SPEAKING = "speaking"  # it understands nobody: no model, no microphone, or switched off
    TALKING = "talking"  # it speaks and hears


class VoiceReport(Struct, frozen=True):
    """What the voice can do now, and how it is set: all false where it has not said so.

    `tells_words`: the resident lets what was said leave the home, as a machine has written it down.
    """

    can: VoiceCan
    engines: tuple[str, ...] = ()
    spoken_sos: bool = False  # hub and voice take a spoken call for help
    muted: bool = False  # the resident has switched the microphone off
    tells_words: bool = False
