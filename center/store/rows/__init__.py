"""Rows of the database, read and written: one module per subject."""
