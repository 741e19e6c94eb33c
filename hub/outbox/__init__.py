"""The outbox: what the hub has promised to deliver, on disk and in order."""
