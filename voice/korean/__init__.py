"""The Korean language: Hangul, numbers, pronunciation, similar sounds, sentences."""

__all__ = ["hangul", "pronounce", "sentences", "sounds"]
