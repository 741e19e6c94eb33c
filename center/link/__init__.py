"""The MQTT connection to the hubs' broker."""

__all__ = ["reconnect", "session"]
