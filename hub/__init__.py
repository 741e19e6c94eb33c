"""Anbu Hub: the daemon in the home."""
