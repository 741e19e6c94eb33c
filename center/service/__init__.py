"""What the centre does: store events of hubs, act for people, send, count, run periodic jobs."""

__all__ = [
    "announcements",
    "auth",
    "desk",
    "enrolment",
    "feed",
    "homes",
    "inbox",
    "incidents",
    "leases",
    "metrics",
    "own_faults",
    "pairing",
    "rate_limit",
    "refusals",
    "removal",
    "revocation",
    "rounds",
    "strangers",
    "texts",
    "vitals",
]
