"""`anbu models`: fetches, checks and installs the speech models."""

__all__ = ["catalog", "command"]
