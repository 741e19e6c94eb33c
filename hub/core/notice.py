"""An announcement of the centre, to be spoken or over: part of the state."""

from msgspec import Struct


class Notice(Struct, frozen=True):
    """What to say; `until_utc` 0: for as long as it takes. `due_at`: when to try (again).

    One that is `over` has no text any more, and is kept so that it is known when it comes again.
    """

    id: str
    text: str
    urgent: bool
    until_utc: float
    due_at: float
    tries: int = 0
    over: bool = False
