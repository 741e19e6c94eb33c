"""Faults, each device's sign of life, and the power."""

__all__ = ["faults", "snapshot", "supervision"]
