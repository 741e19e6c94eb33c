"""Pages of an incident: its timeline, its reason, the home beside it."""
