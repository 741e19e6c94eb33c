"""What comes in: buttons, sensors, speech, commands, announcements, pairing, setup, testing."""

__all__ = [
    "announcements",
    "buttons",
    "commands",
    "installing",
    "pairing",
    "sensors",
    "setup",
    "speech",
    "testing",
    "wireless",
]
