"""Cached build steps: a stage runs once for one set of inputs, and again when an input changes.

A stage is built beside its place and renamed into it, so a build that was cut off is never used.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PAUSES_S = (5, 30)  # before the second and the third try of a download

HERE = Path(__file__).resolve().parent
GUEST = HERE / "guest"
GUEST_13 = HERE / "guest13"  # laid over it for Debian 13

log = logging.getLogger("anbu-pi")


class BuildError(Exception):
    """The virtual Pi cannot be built here; the message says what to do about it."""


def cache_folder(variable: str = "ANBU_PI_CACHE", name: str = "anbu-pi") -> Path:
    """Where everything built is kept: the variable's folder, else `~/.cache/NAME`."""
    named = os.environ.get(variable)
    folder = Path(named) if named else Path.home() / ".cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def key_of(*inputs: str | Path) -> str:
    """Sixteen hex digits that change when a text, a file or a file of a folder changes."""
    digest = hashlib.sha256()
    for item in inputs:
        for part in sorted(item.rglob("*")) if isinstance(item, Path) and item.is_dir() else [item]:
            if isinstance(part, str):
                digest.update(part.encode())
            elif part.is_file() and "__pycache__" not in part.parts:
                digest.update(part.name.encode() + part.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def stage(name: str, key: str, build: Callable[[Path], None], cache: Path | None = None) -> Path:
    """The folder of a stage, built by `build(folder)` when this key has none; older keys go.

    It is kept in `cache`, or where the virtual Pi's parts are.
    """
    cache = cache or cache_folder()
    place = cache / f"{name}-{key}"
    if place.exists():
        return place
    if os.geteuid() != 0:
        message = f"{name} is not built yet, and building needs root: run it with sudo"
        raise BuildError(message)
    started = time.monotonic()
    for old in cache.glob(f"{name}-*"):
        shutil.rmtree(old)
    rough = cache / f"rough-{name}"
    shutil.rmtree(rough, ignore_errors=True)
    rough.mkdir()
    build(rough)
    rough.rename(place)
    log.info("%s built in %.0f s", name, time.monotonic() - started)
    return place


def run(*argv: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program to its end, quietly and politely (nice); its output, or `BuildError`."""
    words = ["nice", "-n", "10", *map(str, argv)]
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        message = f"{' '.join(words[3:])}: exit code {done.returncode}\n{tail}"
        raise BuildError(message)
    return done.stdout


def download(
    *argv: str | Path,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    clean: Callable[[], object] = lambda: None,
) -> str:
    """Run a program that fetches something; a mirror that fails once is asked again.

    `clean` takes away what a failed try has left. After the last try the `BuildError` says so.
    """
    for pause_s in PAUSES_S:
        try:
            return run(*argv, cwd=cwd, env=env)
        except BuildError as error:
            clean()
            log.info("%s failed, and is tried again in %d s: %s", argv[0], pause_s, error)
            time.sleep(pause_s)
    try:
        return run(*argv, cwd=cwd, env=env)
    except BuildError as error:
        clean()
        tries = len(PAUSES_S) + 1
        message = f"a download failed {tries} times; is the network there? {error}"
        raise BuildError(message) from error


def need_packages(tools: Sequence[tuple[str, Path]]) -> None:
    """Install by apt each package whose proof (a file that it brings) is missing."""
    missing = [package for package, proof in tools if not proof.exists()]
    if not missing:
        return
    if os.geteuid() != 0:
        message = f"run as root, or first: sudo apt-get install {' '.join(missing)}"
        raise BuildError(message)
    log.info("apt-get install %s", " ".join(missing))
    download("apt-get", "update")
    download("apt-get", "install", "-y", "--no-install-recommends", *missing)
