"""`anbu voice mouth` and the recording desk: how a bank of spoken phrases is made."""

__all__ = ["command"]
