"""The database: its tables, migrations, and the one thread that writes."""

__all__ = ["dialect", "rows", "store", "tables"]
