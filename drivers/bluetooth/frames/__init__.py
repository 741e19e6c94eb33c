"""Frames of bytes, read: BTHome adverts and the GATT characteristics. Pure; no device, no clock.

A frame that cannot be read whole says why (`Refusal`), and keeps what stands before the fault.
"""

__all__ = ["bthome", "gatt", "octets"]
