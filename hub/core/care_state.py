"""What is known of check-ins: part of the state (`HomeState.care`)."""

from msgspec import Struct


class CareState(Struct, frozen=True):
    """Check-ins and the ladder after one that was missed."""
