"""What comes in: buttons, sensors, speech, commands, announcements, pairing, registration."""

__all__ = [
    "announcements",
    "buttons",
    "commands",
    "pairing",
    "sensors",
    "setup",
    "speech",
    "wireless",
]
