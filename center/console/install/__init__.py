"""Pages for whoever sets up a hub in a home, made for a phone: a hub is claimed by its digits."""

__all__ = ["claim"]
