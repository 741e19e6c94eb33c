"""The HTTP API."""

__all__ = ["body_limit", "health", "incidents", "json", "openapi"]
