"""Simulated lives: invented residents whose days exercise the rules."""

__all__ = ["cli"]
