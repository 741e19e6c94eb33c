"""From words to loudspeaker: recorded phrases, neural voice, espeak, cache."""
