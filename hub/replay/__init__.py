"""`anbu replay`: transcripts and traces of a home are run through the core again."""

__all__ = ["command"]
