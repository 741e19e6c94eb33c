"""An announcement of the centre that has yet to be spoken: part of the state."""

from msgspec import Struct


class Notice(Struct, frozen=True):
    """What to say; `until_utc` 0: for as long as it takes. `due_at`: when to try (again)."""

    id: str
    text: str
    urgent: bool
    until_utc: float
    due_at: float
    tries: int = 0
