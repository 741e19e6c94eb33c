"""The virtual house: every device on simulated pins, with a web page and a command line."""

__all__ = ["cli", "furnish", "sensors_cli", "words"]
