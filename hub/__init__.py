"""Anbu Hub: the daemon in the home.

The version stands here, and pyproject.toml reads it: asking for an installed package's metadata
would load 1 MB that a hub needs for nothing else.
"""

VERSION = "0.1.0"
