"""Pages of homes: one home, its record, the check-ins, the picture of its days, the rates."""

__all__ = ["checkins", "lease", "page", "pairing", "picture", "rates", "record"]
