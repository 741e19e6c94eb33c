"""Sound in and out: microphone, loudspeaker, PCM, loudness, effects, echo."""

__all__ = ["echo", "effects", "loudness", "loudspeaker", "microphone", "pcm", "portaudio"]
