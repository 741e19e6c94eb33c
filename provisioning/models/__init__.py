"""`anbu models`: the speech models, fetched, checked and installed."""

__all__ = ["catalog", "command"]
