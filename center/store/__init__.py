"""The database: dialects, tables, migrations, retention."""

__all__ = ["dialect", "rows", "store", "tables"]
