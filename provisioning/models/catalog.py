"""The files of the voice's models: names, sizes, hashes, and where their makers publish them.

The hashes of the models for hearing are in `voice/models.toml`, which is read as data. Addresses,
and the files of the neural voice, are in `provisioning/models.toml`, which says how far they were
tried.
"""

import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.shared.files import shipped_file
from hub.shared.findings import Finding, bad, good, note
from hub.shared.models import ModelFile, Sha256, Size, Why, flaw


class File(ModelFile, frozen=True, forbid_unknown_fields=True):
    """One file; without a `url` it is in the model's folder, or in its archive."""

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
    """Return the models that Anbu was tested with, by the names of their folders."""
    sizes = shipped_file("voice", "models.toml").read_text(encoding="utf-8")
    places = shipped_file("provisioning", "models.toml").read_text(encoding="utf-8")
    return join(sizes, places)


def join(sizes: str, places: str) -> Catalog:
    """Return the catalog of two TOML texts, hashes and addresses; ValueError for a mistake."""
    known = msgspec.convert(tomllib.loads(sizes), dict[str, tuple[File, ...]])
    where = msgspec.convert(tomllib.loads(places), Catalog)
    return {
        name: msgspec.structs.replace(model, files=(*known.get(name, ()), *model.files))
        for name, model in where.items()
    }


def examine(name: str, model: Model, folder: Path) -> Finding:
    """Return whether a model is whole in `folder`, or its first flaw."""
    for file in model.files:
        path = folder / name / file.name
        try:
            wrong = flaw(file, path)
        except OSError as error:
            return bad("model", "unreadable", name=name, file=path, error=error.strerror)
        if wrong is Why.MISSING and not model.needed:
            return note("model", "optional", name=name, file=path)
        if wrong:
            return bad("model", wrong, name=name, file=path)
    return good("model", name=name, folder=folder / name)
