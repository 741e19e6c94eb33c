"""Installing a whole model in its folder: only files that are missing there are fetched."""

import hashlib
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile

from hub.shared.findings import Finding, good
from hub.shared.messages import ours, sentence
from hub.shared.models import flaw
from provisioning.models.catalog import Archive, File, Model
from provisioning.models.download import (
    Download,
    FetchError,
    HttpClient,
    Timeouts,
    Why,
    fetch,
    is_plain,
    make_room,
    on_disk,
)

EVERY_S = 0.2
UNSAFE = re.compile(r"^[/\\]|^\w:|(^|[/\\])\.\.([/\\]|$)")  # paths that leave the folder
BLOCK = 1 << 20


class Progress:
    """Writes progress to a stream; if that is no terminal, only a line when a file begins."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def of(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Report one file of `size` bytes; the yielded function is called with the bytes so far."""
        self._stream.write(
            sentence("provisioning", "models", "begins", name=name, mb=f"{size / 1e6:.1f}") + "\n"
        )
        self._stream.flush()
        yield self._counter(size) if self._stream.isatty() else _untold
        if self._stream.isatty():
            self._stream.write("\n")

    def _counter(self, size: int) -> Callable[[int], None]:
        line, last_at = ours("provisioning")["models"]["counts"], 0.0

        def told(have: int) -> None:
            nonlocal last_at
            if time.monotonic() - last_at >= EVERY_S or have == size:
                last_at = time.monotonic()
                values = {"pct": f"{100 * have / size:3.0f}", "mb": f"{have / 1e6:.1f}"}
                self._stream.write("\r" + line.format(**values))
                self._stream.flush()

        return told


def _untold(_have: int) -> None:
    """Write nothing: the stream is no terminal."""


def unpack(archive: Path, inside: str, files: Iterable[File], folder: Path) -> None:
    """Unpack the `files` of the archive's folder `inside`.

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


class Installer:
    """Installs models in `folder`, from their makers or from a `mirror`: MIRROR/<model>/<file>."""

    def __init__(
        self, folder: Path, mirror: str, progress: Progress, timeouts: Timeouts | None = None
    ) -> None:
        self._folder, self._mirror, self._progress = folder, mirror, progress
        self._client = HttpClient(timeouts, plain=is_plain(mirror))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def install(self, name: str, model: Model) -> Finding:
        """Install one model; return a finding. The first file that fails ends it."""
        self._at = ""
        try:
            missing = [file for file in model.files if flaw(file, self._home(name) / file.name)]
            if not missing:
                return good("model", name=name, folder=self._home(name))
            if model.archive:
                self._by_archive(name, model.archive, missing)
            else:
                self._by_file(name, model.folder, missing)
        except FetchError as error:
            return error.told(name, self._at)
        except OSError as error:
            return on_disk(error, self._folder).told(name, self._at)
        return good("model", "fetched", name=name, folder=self._home(name))

    def _by_file(self, name: str, base: str, missing: Iterable[File]) -> None:
        downloads = [
            Download(
                self._address(name, file.name, file.url or base + file.name),
                self._home(name) / file.name, file.size, file.sha256,
            )
            for file in missing
        ]  # fmt: skip
        make_room(self._folder, sum(one.rest for one in downloads))
        for one in downloads:
            self._fetch(name, one)

    def _by_archive(self, name: str, archive: Archive, missing: list[File]) -> None:
        file = Path(urlsplit(archive.url).path).name
        address = self._address(name, file, archive.url)
        download = Download(address, self._home(name) / file, archive.size, archive.sha256)
        make_room(self._folder, download.rest + sum(one.size for one in missing))
        try:
            self._fetch(name, download)
            unpack(download.to, archive.inside, missing, self._home(name))
        finally:
            download.to.unlink(missing_ok=True)

    def _fetch(self, name: str, download: Download) -> None:
        self._at = str(download.to.relative_to(self._home(name)))
        with self._progress.of(f"{name}/{self._at}", download.size) as watch:
            fetch(download, self._client, watch)

    def _address(self, name: str, file: str, makers: str) -> str:
        return f"{self._mirror.rstrip('/')}/{name}/{file}" if self._mirror else makers

    def _home(self, name: str) -> Path:
        return self._folder / name
