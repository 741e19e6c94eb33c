"""Files that the product brings with it, and files that are written whole.

A file written here is after a crash or a power cut the old one or the new one, never half of one.
"""

import os
from pathlib import Path

# `importlib.resources` would find a folder `hub` or `voice` of the current directory when we are
# installed in editable mode and started by `python -m hub`.
PACKAGES = Path(__file__).resolve().parents[2]


def shipped_file(package: str, name: str) -> Path:
    """Return where a file or folder of a package is, such as `messages/ko.toml` of `voice`."""
    return PACKAGES.joinpath(*package.split("."), name)


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write beside `path`, bring it to the disk, and put it in place in one step.

    `mode` holds before the umask. A power cut may still bring the old file back: where it must not,
    call `to_disk` of the folder. Raises `OSError`; then the old file stands.
    """
    # the leading dot keeps it out of the globs that count copies of `path`
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def give_to_owner_of(folder: Path, path: Path | int) -> None:
    """Let what an administrator made belong to the folder's owner, else the hub could not read it.

    Raises `OSError`.
    """
    owner = folder.stat()
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
        os.chown(path, owner.st_uid, owner.st_gid)


def to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk. Raises `OSError`."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
