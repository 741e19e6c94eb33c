"""The centre follows an installation: for how long the hub shows what its devices do.

It changes nothing else in the home; `hub.installer` makes the reports. Not kept over a restart.
"""

from msgspec.structs import replace

from hub.contract.messages import Command
from hub.core.model.state import HomeState, Step

MOST_S = 900.0  # the centre asks again while somebody looks


def obey(state: HomeState, command: Command, at: float) -> Step:
    """Show it for as long as the command says, at most 15 minutes; 0 ends it."""
    return replace(state, follow_until=at + min(command.lasts_s, MOST_S)), []


def followed(state: HomeState, at: float) -> bool:
    """Whether the centre follows now."""
    return state.follow_until is not None and at < state.follow_until
