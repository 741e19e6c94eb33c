"""Rows of the database, read and written: one module per subject."""

__all__ = [
    "accounts",
    "announcements",
    "audit",
    "days",
    "deliveries",
    "hubs",
    "incidents",
    "needs",
    "parts",
    "presses",
    "rates",
    "records",
    "voices",
    "words",
]
