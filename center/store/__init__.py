"""The database: dialects, tables, migrations, retention."""
