"""What the centre may ask of a hub, and what the hub replies."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.contract.border import Open

Counter = Annotated[int, Meta(ge=0, lt=2**53)]  # fits a JSON number, and the snapshot


class CommandKind(Open):
    """What the centre may ask of a hub."""

    ANNOUNCE = "announce"
    TEST_CALL = "test_call"


class Command(Struct, frozen=True):
    """Centre to hub. `counter` only rises; a hub refuses one that it has seen or passed."""

    id: str
    kind: CommandKind
    counter: Counter
    expires_utc: float
    text: str = ""
    urgent: bool = False  # an announcement that no quiet hours hold back
    until_utc: float = 0.0  # when an announcement is out of date; 0: never


class Reply(Struct, frozen=True):
    """Hub to centre: what became of the command `id`."""

    id: str
    done: bool
    reason: str = ""
