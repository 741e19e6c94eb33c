"""The neural voice: the sounds it is given, what it says, and that it lets go of its memory."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voice.korean.pronounce import pronounce
from voice.korean.sounds import said
from voice.sound.loudness import measured
from voice.speaking import kokoro_files
from voice.speaking.kokoro import KEPT_S, SOUNDS, VARIANTS, Kokoro, tokens, without_lead
from voice.speaking.mouth import USUAL_SPEED, MouthError

LETTERS = {number: letter for letter, number in SOUNDS.tokens.items()}


VOICED_K, CLOSE_U = "\u0261", "\u026f"  # they look like g and w


def sounds(text: str, *variants: str) -> str:
    letters = "".join(LETTERS[number] for number in tokens(pronounce(text), variants))
    assert not letters or letters[0] == " "  # a first sound is clearer after a space
    return letters.strip()


class Later:
    """A timer that goes off when the test says so."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, threading.Timer]] = []

    def __call__(self, seconds: float, then: Callable[[], None]) -> threading.Timer:
        timer = threading.Timer(seconds, then)
        self.waits.append((seconds, timer))
        return timer


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("가나다.", "kanada."),
        ("밥, 국", "pap, kuk."),
        ("확인했습니다.", "hwa{g}inhɛss{u}mnida."),
        ("신호 쉬어요", "ɕinho ɕɥiʌjo."),
        ("달라", "talla."),
        ("되다 왜", "teda wɛ."),
        ("네!", "ne!"),
        ("…!?", ""),
        ("", ""),
    ],
)
def test_korean_sounds_become_the_models_letters(text: str, letters: str) -> None:
    assert sounds(text) == letters.format(g=VOICED_K, u=CLOSE_U)


def test_variants_change_single_letters_only() -> None:
    assert sounds("가서 도와요", "voiced") == f"{VOICED_K}asʌ dowajo."
    assert sounds("커서", "voiced") == sounds("커서")
    assert all(sounds("도움이 필요하세요?", variant) for variant in VARIANTS)
    with pytest.raises(KeyError):
        sounds("네", "shouted")


@pytest.mark.parametrize("files", [(), ("model.onnx",), ("voices/jf_nezumi.bin",)])
def test_missing_or_damaged_files_are_an_error_of_the_mouth(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.zeros(510 * 256, np.float32).tofile(tmp_path / name)
    engine = Kokoro(tmp_path)
    with pytest.raises(MouthError):
        engine.speak("네.", 1.0)
    assert not engine.resident
    assert kokoro_files.is_whole(tmp_path) is False


def test_what_cannot_be_said_does_not_load_the_model(tmp_path: Path) -> None:
    for text in ("", "…", "👴", "가" * 600):
        with pytest.raises(MouthError, match="sounds"):
            Kokoro(tmp_path).speak(text, 1.0)


@pytest.fixture(scope="module")
def folder() -> Path:
    found = kokoro_files.find()
    assert kokoro_files.is_whole(found)
    return found


def lead_and(seconds: float, sentence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return half a second of silence, a word of 0.4 s, a pause and a sentence; at 1000 Hz."""
    word = np.full(400, 0.3, np.float32)
    return np.concatenate([np.zeros(500), word, np.zeros(round(1000 * seconds)), sentence])


def test_the_first_word_is_cut_off_in_the_pause_behind_it() -> None:
    closed = np.concatenate([np.full(300, 0.5), np.zeros(80), np.full(300, 0.5)])
    cut = without_lead(lead_and(0.2, closed), 1000)
    assert cut is not None
    assert len(cut) == pytest.approx(60 + 680, abs=20)
    assert not cut[:40].any()
    assert cut[80:360].min() == 0.5


@pytest.mark.parametrize("seconds", [0.0, 0.08])
def test_without_a_pause_nothing_is_cut_off(seconds: float) -> None:
    assert without_lead(lead_and(seconds, np.full(900, 0.5)), 1000) is None
    assert without_lead(np.zeros(0, np.float32), 1000) is None
    late = np.concatenate([np.full(2000, 0.5), np.zeros(300), np.full(300, 0.5)])
    assert without_lead(late, 1000) is None


def test_it_speaks_at_a_pace_for_old_ears_and_then_lets_go(folder: Path) -> None:
    later = Later()
    engine = Kokoro(folder, later=later)
    resident = [engine.resident]
    text = "센터에 전달되었습니다."
    audio = engine.speak(text, USUAL_SPEED)
    assert audio.rate_hz == 24_000
    assert 2.5 < len(said(text)) / audio.seconds < 4.6
    assert measured(audio).speech_db > -35
    assert measured(audio).before_s < 0.1  # the word before it is gone
    resident.append(engine.resident)
    engine.speak("네.", USUAL_SPEED)
    (_, first), (seconds, last) = later.waits
    assert seconds == KEPT_S
    assert first.finished.is_set()  # cancelled: it stays while it is needed
    last.cancel()
    last.function()
    assert [*resident, engine.resident] == [False, True, False]
