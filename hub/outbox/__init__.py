"""The outbox: every message that the hub owes is on disk first, then sent in order of urgency.

`delivery` is what the engine and the link talk to; `queue` decides what is sent next; `thread` runs
the disk in a thread of its own; `store` is the SQLite file and `repair` opens it when it may be
damaged; `habits_file` is the file of the learned habits.
"""

__all__ = ["delivery", "habits_file", "store", "thread"]
