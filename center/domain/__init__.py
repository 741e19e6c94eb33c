"""What the centre decides: incidents, hubs, records, tasks, rates, readings. Pure."""

__all__ = [
    "acks",
    "announcement",
    "by_hubs",
    "by_people",
    "clones",
    "day_grid",
    "enrolment",
    "equipment",
    "hub",
    "incident",
    "installation",
    "lease",
    "limits",
    "need",
    "rates",
    "record",
    "rival",
    "times",
    "vitals",
]
