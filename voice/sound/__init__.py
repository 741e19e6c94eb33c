"""Sound in and out: microphone, loudspeaker, PCM, loudness, effects, echo."""
