"""From text to the loudspeaker: phrase bank, cache, engines, and how the resident wants it."""

__all__ = ["bank", "cache", "espeak", "kokoro", "kokoro_files", "mouth", "preferences", "speech"]
