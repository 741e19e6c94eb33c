"""The HTTP API for programs and for the console's own scripts, and its OpenAPI document."""

__all__ = ["body_limit", "est", "fhir", "health", "incidents", "json", "openapi"]
