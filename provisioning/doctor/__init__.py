"""`anbu doctor`: checks a hub's machine, configs, broker and voice, and says what to mend."""

__all__ = ["command"]
