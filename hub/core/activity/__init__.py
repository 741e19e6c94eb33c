"""Presence, unusual quiet, routines, and what was learned of the home's habits."""

__all__ = ["dark", "habits", "hourly", "noise", "presence", "quiet", "restart", "routines"]
