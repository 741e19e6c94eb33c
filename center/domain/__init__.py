"""What the centre decides: incidents, hubs, records, tasks, rates. Pure."""

__all__ = [
    "acks",
    "announcement",
    "by_hubs",
    "by_people",
    "day_grid",
    "equipment",
    "hub",
    "incident",
    "need",
    "rates",
    "record",
    "rival",
    "times",
]
