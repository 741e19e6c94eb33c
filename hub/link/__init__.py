"""The hub's connection to the control centre's broker: dialling, MQTT sessions, back-off."""

__all__ = ["reconnect", "session"]
