"""Bluetooth over BlueZ: what is heard, on which adapter, and how often connecting may deafen it."""

__all__ = ["adapters", "air", "bus", "connect", "monitor", "quota", "scanner"]
