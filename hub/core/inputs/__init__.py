"""What comes in: buttons, sensors, speech, commands, announcements and pairing."""

__all__ = ["announcements", "buttons", "commands", "pairing", "sensors", "speech", "wireless"]
