"""Simulated lives: invented residents whose days exercise the rules."""
