"""The radio process, `anbu radio`: Bluetooth for the hub, which runs without it.

Pure parsers (`frames`), what is heard (`bluez`), who is connected (`wearables`), who is trusted
(`pairing`), and all of it without a radio (`virtual`). To the hub it is one more device on a unix
socket: `drivers/radio.py` is its end there.
"""

__all__ = ["air", "devices", "settings"]
