"""A whole model, brought into its folder: only what is missing there is fetched."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from provisioning.findings import Finding, good
from provisioning.models.catalog import Archive, File, Model, flaw
from provisioning.models.download import FetchError, Line, Patience, is_plain
from provisioning.models_fetch import Wanted, fetch, make_room, on_disk
from provisioning.models_progress import Progress
from provisioning.models_unpack import unpack


class Bringer:
    """Brings models into `folder`, from their makers or from a `mirror`: MIRROR/<model>/<file>."""

    def __init__(
        self, folder: Path, mirror: str, progress: Progress, patience: Patience | None = None
    ) -> None:
        self._folder, self._mirror, self._progress = folder, mirror, progress
        self._line = Line(patience, plain=is_plain(mirror))

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def bring(self, name: str, model: Model) -> Finding:
        """Bring one model; what became of it. The first file that fails ends it."""
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
        wanted = [
            Wanted(
                self._address(name, file.name, file.url or base + file.name),
                self._home(name) / file.name, file.size, file.sha256,
            )
            for file in missing
        ]  # fmt: skip
        make_room(self._folder, sum(one.rest for one in wanted))
        for one in wanted:
            self._one(name, one)

    def _by_archive(self, name: str, archive: Archive, missing: list[File]) -> None:
        file = Path(urlsplit(archive.url).path).name
        address = self._address(name, file, archive.url)
        wanted = Wanted(address, self._home(name) / file, archive.size, archive.sha256)
        make_room(self._folder, wanted.rest + sum(one.size for one in missing))
        try:
            self._one(name, wanted)
            unpack(wanted.to, archive.inside, missing, self._home(name))
        finally:
            wanted.to.unlink(missing_ok=True)

    def _one(self, name: str, wanted: Wanted) -> None:
        self._at = str(wanted.to.relative_to(self._home(name)))
        with self._progress.of(f"{name}/{self._at}", wanted.size) as watch:
            fetch(wanted, self._line, watch)

    def _address(self, name: str, file: str, makers: str) -> str:
        return f"{self._mirror.rstrip('/')}/{name}/{file}" if self._mirror else makers

    def _home(self, name: str) -> Path:
        return self._folder / name
