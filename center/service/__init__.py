"""What the centre does: take in events, act for people, send, count."""
