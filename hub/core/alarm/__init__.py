"""The life of an alarm: a press, delivery to the centre, warnings, and what the lamp shows."""
