"""Vosk with a small vocabulary: what it loads, and that silence is nothing."""

from pathlib import Path

import pytest

from hub.shared.models import Why
from voice.hearing.models import Model, ModelError, find
from voice.hearing.spotter import Spotter, _segmented
from voice.understanding.phrases import load


@pytest.fixture(scope="module")
def spotter() -> Spotter:
    return Spotter(find(Model.VOSK), load())


def test_silence_is_nothing(spotter: Spotter) -> None:
    spotter.begin()
    spotter.take_sound(bytes(32000))
    assert spotter.end() == ()
    assert spotter.end() == ()


def test_a_text_is_written_with_the_fewest_words_of_the_model() -> None:
    known = {"도": 1, "와": 2, "도와": 3, "주세요": 4, "주": 5, "세": 6, "요": 7}
    assert _segmented("도와 주세요", known) == "도와 주세요"
    assert _segmented("도와줘", known) == ""


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph/Gr.fst").write_bytes(b"no transducer")
    with pytest.raises(ModelError) as caught:
        Spotter(tmp_path, load())
    assert (caught.value.model, caught.value.why) == (Model.VOSK, Why.DAMAGED)
