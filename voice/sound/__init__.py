"""Sound in and out: devices and their library, PCM and WAV, loudness, effects, echo."""

__all__ = ["echo", "effects", "loudness", "loudspeaker", "microphone", "pcm", "portaudio", "wav"]
