"""From microphone to words: voice activity, spotter, Whisper, models."""
