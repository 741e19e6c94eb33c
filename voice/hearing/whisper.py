"""The second pass: Whisper on short windows writes an utterance down in several ways.

The only module that imports CTranslate2 and tokenizers. The sound is followed by 4 s of silence
instead of 30 s (a fifth of the work; with 1 s it repeats itself). All tokens that are not Hangul
are forbidden: it cannot fall into another script.
"""

import functools
import string
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import ctranslate2
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from hub.shared.models import Why
from voice.hearing.models import Model, ModelError
from voice.sound.pcm import HEARING_HZ, Samples, from_pcm
from voice.understanding.likeness import Guess

SILENCE_S = 4.0
GUESSES = 5
# CTranslate2 writes half as many tokens. The longest utterance, 8 s, had 35 where given recordings
# were joined without a pause; with 40 here all ended after 20 tokens, some 4.5 s. More than is
# needed costs 0.01 s of work, and only where it repeats itself over noise.
MOST_TOKENS = 100
PROMPT = ("<|startoftranscript|>", "<|ko|>", "<|transcribe|>", "<|notimestamps|>")
HANGUL_BYTES = frozenset(range(0x80, 0xC0)) | {0xEA, 0xEB, 0xEC, 0xED, 0x20}  # in UTF-8; a space
TEXT_TOKENS = 50257

WINDOW, HOP, BANDS = 400, 160, 80  # samples (25 ms, 10 ms); mel bands
LINEAR_HZ, STEP = 200 / 3, np.log(6.4) / 27  # Slaney: linear to 1 kHz (15 mel), then logarithmic
TOP_MEL = 15 + np.log(HEARING_HZ / 2 / 1000) / STEP


class Encoded(NamedTuple):
    """An utterance as the model encoded it, and its number of frames of 20 ms."""

    features: ctranslate2.StorageView
    frames: int


class Whisper:
    """A loaded model; may be called from any thread."""

    name = "whisper"

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load it (about 0.5 s). Raises ModelError."""
        try:
            self._tokens = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._model = ctranslate2.models.Whisper(
                str(folder), compute_type="int8", intra_threads=threads, inter_threads=1
            )
        except Exception as error:  # tokenizers raises Exception itself
            raise ModelError(Model.WHISPER, Why.DAMAGED, str(error)[:200]) from error
        self._prompt = [self._tokens.token_to_id(word) for word in PROMPT]
        self._forbidden = [-1, *_not_hangul(self._tokens)]
        self._lock = threading.Lock()

    def encode(self, pcm: bytes) -> Encoded:
        """Encode an utterance (0.1 s of work for 2 s of it); `guess` and `weigh` use the result."""
        silence = np.zeros(int(SILENCE_S * HEARING_HZ), np.float32)
        bands = spectrogram(np.concatenate([from_pcm(pcm), silence]))
        bands = np.ascontiguousarray(bands[None, :, : bands.shape[1] // 2 * 2])
        with self._lock:
            features = self._model.encode(ctranslate2.StorageView.from_array(bands))
        return Encoded(features, bands.shape[2] // 2)

    def guess(self, encoded: Encoded) -> tuple[tuple[Guess, ...], float]:
        """Return guesses, best first, and how likely there was no speech (0..1)."""
        with self._lock:
            result = self._model.generate(
                encoded.features, [self._prompt], beam_size=GUESSES, num_hypotheses=GUESSES,
                max_length=MOST_TOKENS, return_scores=True, return_no_speech_prob=True,
                suppress_tokens=self._forbidden,
            )[0]  # fmt: skip
        told = zip(result.sequences_ids, result.scores, strict=True)
        guesses = tuple(Guess(self._tokens.decode(ids).strip(), score) for ids, score in told)
        return guesses, float(result.no_speech_prob)

    def weigh(self, encoded: Encoded, texts: Sequence[str]) -> dict[str, float]:
        """Return the log-likelihood of the sound under each text (0.03 s of work each)."""
        return {text: self._weight(encoded, text) for text in texts}

    def _weight(self, encoded: Encoded, text: str) -> float:
        ids = self._tokens.encode(f" {text}", add_special_tokens=False).ids
        with self._lock:
            result = self._model.align(
                encoded.features, self._prompt[:3], [ids], [encoded.frames], median_filter_width=1
            )[0]
        return float(np.log(np.maximum(result.text_token_probs, 1e-9)).sum())


def _not_hangul(tokens: Tokenizer) -> list[int]:
    words = [(number, tokens.id_to_token(number)) for number in range(TEXT_TOKENS)]
    letters = _bytes()
    return [
        number
        for number, word in words
        if word and not all(letters.get(letter, 0) in HANGUL_BYTES for letter in word)
    ]


def _bytes() -> dict[str, int]:
    """Return the byte that each letter of a byte-level vocabulary stands for (as in GPT-2)."""
    shown = {ord(letter) for letter in string.printable if not letter.isspace()}
    shown |= {*range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {
        chr(256 + place): byte for place, byte in enumerate(hidden)
    }


def spectrogram(sound: Samples) -> Samples:
    """Return Whisper's input: 80 mel bands by frames of 10 ms; needs at least 25 ms of sound."""
    padded = np.pad(sound, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1], axis=1)) ** 2
    bands = np.log10(np.maximum(_filters() @ power[:-1].T, 1e-10))
    floored = np.maximum(bands, bands.max() - 8)
    return np.ascontiguousarray((floored + 4) / 4, dtype=np.float32)


@functools.cache
def _filters() -> npt.NDArray[np.float64]:
    mels = np.linspace(0, TOP_MEL, BANDS + 2)
    edges = np.where(mels < 15, mels * LINEAR_HZ, 1000 * np.exp(STEP * (mels - 15)))  # noqa: PLR2004
    ramps = edges[:, None] - np.fft.rfftfreq(WINDOW, 1 / HEARING_HZ)
    widths = np.diff(edges)[:, None]
    rise, fall = -ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * area[:, None])
