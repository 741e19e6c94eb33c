"""`anbu doctor`: what works here, what does not, and what to do."""

__all__ = ["command"]
