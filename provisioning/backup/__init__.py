"""What the centre keeps for a replacement: `kept` says what, `daily` when.

Nothing here is in the way of a call, and nobody waits for it.
"""

__all__ = ["daily", "kept"]
