"""The numbers of check-ins and of the ladder after a missed one; `[rules.care]` of the config."""

from msgspec import Struct


class CareRules(Struct, frozen=True, forbid_unknown_fields=True):
    """When to ask, and what follows when nobody answers."""
