"""Talks with the resident: whose turn it is, what waits to be said, the plans of check-ins."""

__all__ = ["plan_check", "plan_files", "plans", "stage"]
