"""The radio process, `anbu radio`: Bluetooth for the hub, which runs without it.

Pure parsers (`frames`), what is heard (`scanning`), who is connected (`wearables`), who is trusted
(`pairing`). To the hub it is one more device on a unix socket: `drivers/radio.py` is its end there.
"""

__all__ = ["air", "devices", "settings"]
