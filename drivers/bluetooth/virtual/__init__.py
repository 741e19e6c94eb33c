"""The air of the virtual house: real bytes of invented devices, made in the radio process."""

__all__ = ["air", "frames", "heart"]
