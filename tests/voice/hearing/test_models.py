"""The models for hearing: whole, missing or damaged, and said which."""

from pathlib import Path

import pytest

from hub.shared.models import ModelFile, Why
from voice.hearing import models
from voice.hearing.models import Model, ModelError

SHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of one file that says hello."""
    one = {model: (ModelFile("graph/a.bin", 5, SHA),) for model in Model}
    monkeypatch.setattr(models, "known", lambda: one)
    monkeypatch.setenv("ANBU_MODELS", str(tmp_path))
    (tmp_path / "vosk/graph").mkdir(parents=True)
    (tmp_path / "vosk/graph/a.bin").write_text("hello")
    return tmp_path


def test_a_whole_model_is_found(folder: Path) -> None:
    assert models.find(Model.VOSK) == folder / "vosk"
    assert models.find(Model.VOSK, folder) == folder / "vosk"


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, Why.MISSING), ("hell", Why.DAMAGED), ("hallo", Why.DAMAGED)],
)
def test_a_file_that_is_missing_cut_or_changed_is_named(
    folder: Path, content: str | None, why: Why
) -> None:
    path = folder / "vosk/graph/a.bin"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError) as caught:
        models.find(Model.VOSK)
    assert (caught.value.model, caught.value.why) == (Model.VOSK, why)
    assert "a.bin" in caught.value.file


def test_every_file_of_both_models_is_known_by_its_hash() -> None:
    assert set(models.known()) == {*Model}
    names = {file.name for file in models.known()[Model.WHISPER]}
    assert {"model.bin", "tokenizer.json", "config.json"} <= names
