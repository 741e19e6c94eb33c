"""The life of an alarm: a press, delivery to the centre, warnings, and what the lamp shows."""

__all__ = ["alarm", "delivery", "press", "signals", "warning"]
