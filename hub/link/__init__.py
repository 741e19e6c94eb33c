"""The connection to the control centre's broker."""
