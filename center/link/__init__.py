"""The connection to the hubs' broker."""
