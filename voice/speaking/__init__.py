"""From words to loudspeaker: recorded phrases, neural voice, espeak, cache."""

__all__ = ["bank", "cache", "espeak", "kokoro", "kokoro_files", "mouth", "preferences", "speech"]
