"""Pure rules of the centre: incidents, hubs, records, needs, rates, times."""

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
