"""Presence, unusual quiet, routines, and what was learned of the home's habits."""
