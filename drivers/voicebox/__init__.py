"""The voice process as a device of the hub, over a unix socket."""

__all__ = ["driver"]
