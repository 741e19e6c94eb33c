"""The centre follows an installation: for how long the hub shows what its devices do.

It changes nothing else in the home; `hub.witness` makes the reports. Not kept over a restart. A
sound check is a question: whoever answers it has heard the loudspeaker, and the microphone them.
"""

from msgspec.structs import replace

from hub.contract.messages import Command
from hub.contract.voice import Phrase
from hub.core.inputs.pairing import is_quiet
from hub.core.model.effects import Ask
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step

MOST_S = 900.0  # the centre asks again while somebody looks


def obey(state: HomeState, command: Command, at: float) -> Step:
    """Show it for as long as the command says, at most 15 minutes; 0 ends it."""
    return replace(state, follow_until=at + min(command.lasts_s, MOST_S)), []


def check_sound(state: HomeState, rules: Rules) -> Step | None:
    """Ask how the resident is; None: not now, or nothing in the home speaks.

    An answer that shows a need is taken as at any time.
    """
    return (state, [Ask(Phrase.ASK_HEALTH)]) if rules.voice and is_quiet(state) else None
