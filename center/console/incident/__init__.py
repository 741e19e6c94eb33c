"""The page of an incident: its timeline, its reason, its home; and the 119 sheet."""

__all__ = ["page", "reason", "sheet_119", "timeline"]
