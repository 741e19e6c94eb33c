"""Pages for whoever sets up a hub in a home, made for a phone: claim, steps, what is printed."""

__all__ = ["claim", "page"]
