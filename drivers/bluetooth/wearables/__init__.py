"""Bands, chest straps, oximeters, cuffs and thermometers: one connection loop, a file per service.

`wearables.Wearables` keeps those of the list connected and tells what they say in the words of
`hub.contract.radio`. A new service is a class as `service.Service` and a line in `wearables.py`.
"""

__all__ = ["service", "wearables"]
