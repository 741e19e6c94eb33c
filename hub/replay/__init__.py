"""`anbu replay`: runs a black box's transcript or a trace of sensors through the core again."""

__all__ = ["command"]
