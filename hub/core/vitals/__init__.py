"""Heart and stress: clean beats, resting pulse, limits that first ask, stress against one's own."""

__all__ = ["vitals"]
