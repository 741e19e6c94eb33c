"""`anbu demo`: broker, centre and a virtual house, started together."""

__all__ = []
