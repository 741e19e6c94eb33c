"""An independent listener: Whisper base as published, without knowledge of Korean homes.

It hears a window of 30 s, may write any letters, and takes the best of five beams; the voice's own
`voice/hearing/whisper.py` is quicker, and biased towards Hangul: good for hearing, no fair judge.
"""

from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from voice.hearing.models import Model, find
from voice.hearing.whisper import spectrogram
from voice.sound.pcm import HEARING_HZ, Audio, from_pcm, resampled

WINDOW_S, FRAMES = 30, 3000
BEAMS, MOST_TOKENS = 5, 200
PROMPT = ("<|startoftranscript|>", "<|ko|>", "<|transcribe|>", "<|notimestamps|>")


class Listener:
    """Writes down what it hears."""

    def __init__(self, folder: Path | None = None) -> None:
        """Load the model. Raises ModelError."""
        home = find(Model.WHISPER, folder)
        self._tokens = Tokenizer.from_file(str(home / "tokenizer.json"))
        self._model = ctranslate2.models.Whisper(
            str(home), compute_type="int8", intra_threads=1, inter_threads=1
        )
        self._prompt = [self._tokens.token_to_id(word) for word in PROMPT]

    def hear(self, audio: Audio) -> str:
        """Return the text of at most 30 s of sound."""
        heard = from_pcm(resampled(audio.pcm, audio.rate_hz, HEARING_HZ))[: WINDOW_S * HEARING_HZ]
        window = np.concatenate([heard, np.zeros(WINDOW_S * HEARING_HZ - len(heard), np.float32)])
        bands = np.ascontiguousarray(spectrogram(window)[None, :, :FRAMES])
        found = self._model.generate(
            ctranslate2.StorageView.from_array(bands), [self._prompt],
            beam_size=BEAMS, max_length=MOST_TOKENS,
        )  # fmt: skip
        return str(self._tokens.decode(found[0].sequences_ids[0])).strip()
