"""What comes in: buttons, sensors, speech, commands, announcements, pairing, setup, test mode."""

__all__ = [
    "announcements",
    "buttons",
    "commands",
    "pairing",
    "sensors",
    "setup",
    "speech",
    "testing",
    "wireless",
]
