"""Talks with the resident: stage, queue, plans of check-ins."""
