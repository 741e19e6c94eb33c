"""From microphone to words: voice activity, spotter, Whisper, models."""

__all__ = ["capture", "hearing", "models", "overhear", "queue", "recordings", "vad", "whisper"]
