"""Pure decisions: no clock, no random, no log, no await, no input or output."""

__all__ = ["alarm", "calm", "decide", "late", "model", "supervision"]
