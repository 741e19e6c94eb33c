"""What comes in: buttons, sensors, speech, commands and announcements."""

__all__ = ["announcements", "buttons", "commands", "sensors", "speech", "wireless"]
