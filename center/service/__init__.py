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
    "rate_limit",
    "refusals",
    "removal",
    "rounds",
    "texts",
]
