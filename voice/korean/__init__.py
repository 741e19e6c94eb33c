"""The Korean language: hangul, numbers, pronunciation, similar sounds, sentences."""

__all__ = ["hangul", "pronounce", "sentences", "sounds"]
