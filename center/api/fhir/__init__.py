"""FHIR R4 for the medical partner: readings as Observations, by the resident's consent."""

__all__ = ["search", "server"]
