"""Faults, each device's sign of life, the power, and what could be read of the snapshot."""

__all__ = ["faults", "snapshot", "supervision"]
