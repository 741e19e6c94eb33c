"""The console: the pages that operators see in the browser."""

__all__ = ["routes"]
