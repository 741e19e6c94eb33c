"""Pages about a home: its record, check-ins, sheet for the 119, rates, voice."""

__all__ = ["checkins", "page", "picture", "rates", "record"]
