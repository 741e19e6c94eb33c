"""Talks with the resident: stage, queue, plans of check-ins."""

__all__ = ["plan_check", "plan_files", "plans", "stage"]
