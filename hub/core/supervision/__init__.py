"""Faults, each device's sign of life, and the power."""
