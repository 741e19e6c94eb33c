"""`anbu voice bank` and `anbu voice record`: how a bank of spoken sentences is made."""

__all__ = ["command"]
