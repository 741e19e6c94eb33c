"""Check-ins: when to ask, what an answer means, and what follows when nobody answers."""

__all__ = ["checkin", "escalation", "overdue", "reports", "restart", "schedule"]
