"""The files of the voice's models: names, sizes, hashes, where their makers publish them.

Hashes of what hearing uses: `voice/models.toml`, read as data. Addresses, and the files of the
neural voice: `provisioning/models.toml`, which also says how far they are proven.
"""

import hashlib
import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from provisioning.findings import Finding, bad, good, note

Size = Annotated[int, Meta(ge=1)]  # in bytes
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Inside = Annotated[str, Meta(pattern=r"^(?!.*\.\.)\w[\w./-]*$")]  # a path that stays in its folder


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """One file; without a `url` it is in the model's folder, or in its archive."""

    name: Inside
    size: Size
    sha256: Sha256
    url: str = ""


class Archive(Struct, frozen=True, forbid_unknown_fields=True):
    """A zip file with the model's files in the folder `inside`."""

    url: str
    size: Size
    sha256: Sha256
    inside: str = ""


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """A model, and where it comes from: a `folder`, an `archive`, or an address for each file."""

    files: tuple[File, ...] = ()
    folder: str = ""
    archive: Archive | None = None
    needed: bool = True


Catalog = dict[str, Model]


def shipped() -> Catalog:
    """Give the models that we were tried with, by the names of their folders."""
    sizes = files("voice").joinpath("models.toml").read_text(encoding="utf-8")
    places = files("provisioning").joinpath("models.toml").read_text(encoding="utf-8")
    return join(sizes, places)


def join(sizes: str, places: str) -> Catalog:
    """Put files with hashes and addresses, two TOML texts, together; ValueError for a mistake."""
    known = msgspec.convert(tomllib.loads(sizes), dict[str, tuple[File, ...]])
    where = msgspec.convert(tomllib.loads(places), Catalog)
    return {
        name: msgspec.structs.replace(model, files=(*known.get(name, ()), *model.files))
        for name, model in where.items()
    }


def usual_folder() -> Path:
    """Give the folder in which the voice looks, when its config names none."""
    if named := os.environ.get("ANBU_MODELS"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anbu" / "models"


def flaw(file: File, path: Path) -> str:
    """Give what is wrong with a file: `missing`, `damaged`, or nothing. Raises OSError."""
    if not path.is_file():
        return "missing"
    if path.stat().st_size != file.size:
        return "damaged"
    with path.open("rb") as opened:
        same = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    return "" if same else "damaged"


def examine(name: str, model: Model, folder: Path) -> Finding:
    """Find whether a model is whole in `folder`; of the rest the first flaw is told."""
    for file in model.files:
        path = folder / name / file.name
        try:
            wrong = flaw(file, path)
        except OSError as error:
            return bad("model", "unreadable", name=name, file=path, error=error.strerror)
        if wrong == "missing" and not model.needed:
            return note("model", "optional", name=name, file=path)
        if wrong:
            return bad("model", wrong, name=name, file=path)
    return good("model", name=name, folder=folder / name)
