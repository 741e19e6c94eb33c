"""Certificates: a county's authority, development certificates, and their inspection."""

__all__ = ["authority", "dev", "inspect"]
