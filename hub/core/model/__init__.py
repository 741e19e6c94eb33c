"""The core's facts, orders, rules and state, as types."""

__all__ = ["activity", "checkin", "driver", "effects", "events", "rules", "state", "supervision"]
