"""What the centre does: take in events, act for people, send, count."""

__all__ = [
    "announcements",
    "auth",
    "desk",
    "feed",
    "homes",
    "inbox",
    "incidents",
    "metrics",
    "refusals",
    "removal",
    "rounds",
    "sluice",
    "texts",
]
