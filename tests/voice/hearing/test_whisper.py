"""Whisper and its spectrogram, on sounds made here."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from hub.shared.models import Why
from hub.shared.system import give_back, rss_mb
from voice.hearing import vad
from voice.hearing.models import Model, ModelError, find
from voice.hearing.whisper import BANDS, Whisper, spectrogram
from voice.sound.pcm import HEARING_HZ, Resampler, Samples, from_pcm


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return Whisper(find(Model.WHISPER))


def tone(hz: float, seconds: float = 1.0) -> bytes:
    time_s = np.arange(int(16000 * seconds)) / 16000
    return (np.sin(2 * np.pi * hz * time_s) * 8000).astype(np.int16).tobytes()


def test_a_spectrogram_has_a_band_for_each_pitch() -> None:
    loudest = []
    for hz in (200, 1000, 3000, 7000):
        bands = spectrogram(from_pcm(tone(hz)))
        assert bands.shape == (BANDS, 100)
        assert bands.dtype == np.float32
        loudest.append(int(bands.mean(axis=1).argmax()))
    assert loudest == sorted(loudest)
    assert loudest[0] < 10
    assert loudest[-1] > 70


def test_a_spectrogram_is_whispers_own() -> None:
    """1000 Hz are 15 mel of 45.2 (Slaney), which 80 bands share."""
    bands = spectrogram(from_pcm(tone(1000)))
    assert bands.max() - bands.min() == pytest.approx(2.0, abs=1e-3)  # 8 below the loudest, by 4
    assert int(bands[:, 50].argmax()) == round(15 / 45.2456 * 81) - 1


def test_it_writes_hangul_and_nothing_else(whisper: Whisper) -> None:
    noise = (np.random.default_rng(4).standard_normal(32000) * 2000).astype(np.int16).tobytes()
    for sound in (noise, tone(300), tone(3000, 0.1)):
        guesses, no_speech = whisper.guess(whisper.encode(sound))
        assert len(guesses) == 5
        assert 0 <= no_speech <= 1
        letters = "".join(guess.text for guess in guesses).replace(" ", "").replace("\ufffd", "")
        assert all("\u3130" <= letter <= "힣" or not letter.isalnum() for letter in letters)


def test_its_best_guess_is_likelier_than_any_phrase_in_noise(whisper: Whisper) -> None:
    encoded = whisper.encode(tone(440))
    weights = whisper.weigh(encoded, ["도와주세요", "가슴이 너무 아파요"])
    assert all(weight < -5 for weight in weights.values())
    assert weights["가슴이 너무 아파요"] < weights["도와주세요"] + 20


def recorded(name: str) -> Samples:
    """Return a recording without the silence around it."""
    sound, rate_hz = soundfile.read(
        Path(__file__).parents[1] / f"sounds/{name}.ogg", dtype="float32"
    )
    heard = Resampler(rate_hz, HEARING_HZ).push(np.concatenate([sound, np.zeros(rate_hz // 10)]))
    loud = np.nonzero(np.abs(heard) > np.abs(heard).max() / 50)[0]
    return np.asarray(heard[loud[0] : loud[-1]], np.float32)


@pytest.mark.parametrize(("last", "end"), [("help", "도와주세요"), ("save", "살려주세요")])
def test_the_end_of_the_longest_utterance_is_written_down(
    whisper: Whisper, last: str, end: str
) -> None:
    """CTranslate2 takes half of its `max_length`: after 20 tokens all was cut."""
    said = np.concatenate([recorded(name) for name in ("talk", "again", "talk", "well", last)])
    assert len(said) / HEARING_HZ > vad.LONGEST * vad.PIECE_S
    guesses, _ = whisper.guess(whisper.encode((said * 32767).astype(np.int16).tobytes()))
    assert guesses[0].text.endswith(end)


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        Whisper(tmp_path)
    assert (caught.value.model, caught.value.why) == (Model.WHISPER, Why.DAMAGED)


def test_it_does_not_grow_with_each_new_length(whisper: Whisper) -> None:
    """oneDNN would keep 1.3 MB for each: 40 MB here, 2 MB a minute of talk."""
    whisper.encode(bytes(2 * 40_000))
    give_back()
    before_mb = rss_mb()
    for number in range(30):
        whisper.encode(bytes(2 * (8_000 + 1_000 * number)))
    give_back()
    assert rss_mb() - before_mb < 15
