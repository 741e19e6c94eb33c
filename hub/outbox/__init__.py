"""The outbox: what the hub has promised to deliver, on disk and in order."""

__all__ = ["delivery", "habits_file", "snapshot", "store", "thread"]
