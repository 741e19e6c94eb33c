"""The connection to the control centre's broker."""

__all__ = ["reconnect", "session"]
