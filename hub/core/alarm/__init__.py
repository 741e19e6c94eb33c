"""The life of an alarm: a press, the delivery to the centre, warnings, and the lamp's signal."""

__all__ = ["alarm", "delivery", "press", "signals", "warning"]
