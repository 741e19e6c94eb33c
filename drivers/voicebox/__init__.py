"""The voice process as one more device of the hub, over a unix socket."""

__all__ = ["driver"]
