"""The hub's identity: its key, made here; its certificate, from the centre by EST (RFC 7030)."""

__all__: list[str] = []
