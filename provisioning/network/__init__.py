"""The hub's network without a screen: NetworkManager, and a hotspot with a form for the Wi-Fi."""

__all__: list[str] = []
