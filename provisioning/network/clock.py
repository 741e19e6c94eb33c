"""The time of a hub comes from the centre's machine first: a closed network has no other.

`anbu network clock` writes what systemd-timesyncd and chrony read, from the county's file. It runs
as root, at the start and whenever that file changes (`systemd/anbu-clock.path`). Other servers
stay: a centre that serves no time keeps no clock wrong.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from hub.shared.county import County
from hub.shared.files import to_disk, write_whole

TIMESYNCD = "etc/systemd/timesyncd.conf.d/50-anbu.conf"
CHRONY = "etc/chrony/sources.d/anbu.sources"  # chrony of Debian reads the folder; without it: none
OTHERS = "0.debian.pool.ntp.org 1.debian.pool.ntp.org 2.debian.pool.ntp.org"
HEAD = "# Written by anbu-clock.service from the county's file.\n"


def write(county: County, root: Path = Path("/")) -> bool:
    """Write the files; return whether one of them has changed. Raises OSError.

    Without a centre they go.
    """
    written = [_written(root / name, text) for name, text in _wanted(county, root)]
    return any(written)


def _wanted(county: County, root: Path) -> Iterator[tuple[str, str]]:
    """Yield each file and its content; an empty one has to go.

    timesyncd asks one server after another until one answers: those of `FallbackNTP=` only where no
    other is named.
    """
    host = urlsplit(county.center).hostname or ""
    yield TIMESYNCD, f"{HEAD}[Time]\nNTP={host} {OTHERS}\n" if host else ""
    if (root / CHRONY).parent.is_dir():
        yield CHRONY, f"{HEAD}server {host} iburst\n" if host else ""


def _written(file: Path, text: str) -> bool:
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before == text:
        return False
    if text:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(file, text.encode(), 0o644)
        to_disk(file.parent)
    else:
        file.unlink()
    return True
