"""Reading and writing the tables: one module per subject, functions of a connection."""

__all__ = [
    "accounts",
    "announcements",
    "audit",
    "commands",
    "days",
    "deliveries",
    "enrolments",
    "hubs",
    "incidents",
    "limits",
    "needs",
    "pairings",
    "partners",
    "parts",
    "presses",
    "rates",
    "records",
    "vitals",
    "voices",
    "words",
]
