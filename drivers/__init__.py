"""Devices of the house: one file per kind; `drivers/<kind>.py` holds the struct `Driver`."""
