"""What comes in: buttons, sensors, speech, commands and announcements."""
