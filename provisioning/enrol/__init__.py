"""The hub's identity by EST (RFC 7030): key, request, certificate, renewal.

keys (cryptography) <- client (HTTPS) <- enrolment (what to do next) -> store (the disk)
"""

__all__ = ["client", "enrolment", "keys", "store", "troubles"]
