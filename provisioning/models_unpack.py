"""A model's files out of its zip archive: only those that are known, each checked by its hash."""

import hashlib
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from provisioning.models.catalog import File
from provisioning.models.download import FetchError, Why

UNSAFE = re.compile(r"^[/\\]|^\w:|(^|[/\\])\.\.([/\\]|$)")
BLOCK = 1 << 20


def unpack(archive: Path, inside: str, files: Iterable[File], folder: Path) -> None:
    """Unpack the `files` that lie in the archive's folder `inside`.

    Raises FetchError, which names the file; OSError from the disk. An archive with a member that
    would leave the folder is refused as a whole.
    """
    try:
        with ZipFile(archive) as opened:
            unsafe = next(filter(UNSAFE.search, opened.namelist()), None)
            if unsafe is not None:
                raise FetchError(Why.UNSAFE, member=unsafe)
            for file in files:
                _member(opened, inside, file, folder / file.name)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FetchError(Why.BAD_ARCHIVE, error=error) from error


def _member(archive: ZipFile, inside: str, file: File, to: Path) -> None:
    part = to.with_name(f"{to.name}.part")
    to.parent.mkdir(parents=True, exist_ok=True)
    seen, rest = hashlib.sha256(), file.size + 1
    try:
        with archive.open(f"{inside}{file.name}") as member, part.open("wb") as written:
            while rest and (block := member.read(min(rest, BLOCK))):
                rest -= len(block)
                seen.update(block)
                written.write(block)
    except KeyError as error:
        raise FetchError(Why.NOT_INSIDE, file=file.name) from error
    if seen.hexdigest() != file.sha256:
        part.unlink()
        raise FetchError(
            Why.WRONG_HASH, file=file.name, url=archive.filename, found=seen.hexdigest()
        )
    part.replace(to)
