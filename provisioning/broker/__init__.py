"""The county's broker: Mosquitto's configuration, and hubs that are struck off while it runs."""

__all__ = ["config"]
