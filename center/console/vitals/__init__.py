"""Readings of the body for people: pictures, tables, and the limits that a home's hub works by."""

__all__ = ["card", "limits", "page"]
