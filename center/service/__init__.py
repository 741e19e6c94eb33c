"""What the centre does: store events of hubs, act for people, send, count, run periodic jobs."""

__all__ = [
    "announcements",
    "auth",
    "desk",
    "feed",
    "homes",
    "inbox",
    "incidents",
    "metrics",
    "pairing",
    "rate_limit",
    "refusals",
    "removal",
    "rounds",
    "texts",
    "vitals",
]
