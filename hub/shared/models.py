"""Where the voice's models are, and whether the files of a model are complete.

The voice loads the models. `anbu doctor` and `anbu models` check them, without the voice's
libraries.
"""

import hashlib
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

Size = Annotated[int, Meta(ge=1)]  # in bytes
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Inside = Annotated[str, Meta(pattern=r"^(?!.*\.\.)\w[\w./-]*$")]  # a path that stays in the folder


class Why(StrEnum):
    """Why a file of a model cannot be used."""

    MISSING = "missing"
    DAMAGED = "damaged"


class ModelFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a model, as its maker published it."""

    name: Inside
    size: Size
    sha256: Sha256


def usual_folder() -> Path:
    """Return the folder of the models where no config names one."""
    if named := os.environ.get("ANBU_MODELS"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anbu" / "models"


def flaw(file: ModelFile, path: Path) -> Why | None:
    """Return what is wrong with a file by its size and hash, or None. Raises `OSError`.

    It takes 0.3 s for the files of all models together.
    """
    if not path.is_file():
        return Why.MISSING
    if path.stat().st_size != file.size:
        return Why.DAMAGED
    with path.open("rb") as opened:
        same = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    return None if same else Why.DAMAGED
