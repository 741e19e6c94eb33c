"""The hub's network without a screen: NetworkManager, and a hotspot with a form for the Wi-Fi.

state     what to do next, pure
bus, nm   NetworkManager over D-Bus
clock     whom the machine asks for the time
checks    whether the centre is behind the network, and what its clock says
server, form   the one page on the hotspot
service   all of it, as a part of `anbu provision run`
"""

__all__ = ["checks", "cli", "clock", "service"]
