"""The console in the browser: frame, sign-in and routes."""

__all__ = ["routes"]
