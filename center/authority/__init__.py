"""The centre's certificate authority for hubs: it reads requests and signs certificates."""

__all__ = ["signing"]
