"""What is known of the devices' own health: part of the state (`HomeState.watch`)."""

from msgspec import Struct


class WatchState(Struct, frozen=True):
    """Signs of life, batteries, the mains."""
