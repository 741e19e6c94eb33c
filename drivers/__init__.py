"""Devices of the home, one module per kind: `drivers/<kind>.py` or `drivers/<kind>/driver.py`.

The module's struct `Driver` holds the fields of a `[[device]]` in the hub's config, and `run(port)`
reports events and shows orders until it is cancelled.
"""
