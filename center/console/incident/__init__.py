"""Pages of an incident: its timeline, its reason, the home beside it."""

__all__ = ["page", "reason", "sheet_119", "timeline"]
