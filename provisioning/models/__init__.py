"""`anbu models`: the speech models, fetched, checked and installed."""
