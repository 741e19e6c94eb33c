"""The numbers of supervision; `[rules.watch]` of the config."""

from msgspec import Struct


class WatchRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a device may be silent, and when a fault is told."""
