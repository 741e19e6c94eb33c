"""From microphone to words: voice activity, spotter, Whisper, models."""

__all__ = ["ear", "hearing", "models", "overhear", "queue", "recordings", "vad", "whisper"]
