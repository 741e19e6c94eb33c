"""From sound to meaning: capture, voice activity, the two passes and their engines, the queue."""

__all__ = [
    "capture",
    "engines",
    "hearing",
    "models",
    "overhear",
    "queue",
    "recordings",
    "vad",
    "whisper",
]
