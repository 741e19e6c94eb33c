"""What an installer carries to a Pi: wheels for its Python 3.11, settings, units; as a small disk.

What is slow is cached: the dependencies by pyproject.toml, the hub by its source.
"""

import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.pi.stages import HERE, BuildError, download, key_of, run, stage

REPO = HERE.parents[1]
PACKAGES = ("hub", "drivers", "voice", "provisioning", "center")
EXTRAS = ("pi", "provision")  # as requirements/hub.in
CARGO_SIZE = "96M"


def _python() -> str:
    """A Python of the guest's version: wheels with compiled parts must fit it."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if found := sys.executable if here == "3.11" else shutil.which("python3.11"):
        return found
    message = "needs python3.11 here, to build wheels for the virtual Pi"
    raise BuildError(message)


def builder() -> Path:
    """A Python with pip and setuptools of its own."""

    def build(folder: Path) -> None:
        run(_python(), "-m", "venv", folder / "venv")
        download(folder / "venv/bin/python", "-m", "pip", "install", "setuptools>=77", "wheel")

    return stage("builder", key_of(_python()), build) / "venv/bin/python"


def wanted() -> list[str]:
    """The hub's own requirements with those of a real Pi, from pyproject.toml."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(one for name in EXTRAS for one in extras[name])]


def _dependencies(folder: Path) -> None:
    download(builder(), "-m", "pip", "wheel", "--wheel-dir", folder, *wanted())


def _hub_wheel(folder: Path) -> None:
    """Build from a copy, so that the build leaves nothing in the repository."""
    copy = folder / "source"
    copy.mkdir()
    for name in PACKAGES:
        shutil.copytree(REPO / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (REPO / name).exists():
            shutil.copy(REPO / name, copy)
        else:
            (copy / name).touch()
    build = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir")
    run(builder(), *build, folder, copy)
    shutil.rmtree(copy)


def wheels(*, with_hub: bool = True) -> list[Path]:
    """Each wheel that the Pi needs; seconds when something changed, at once otherwise."""
    project = REPO / "pyproject.toml"
    found = list(stage("wheels", key_of(project, *EXTRAS), _dependencies).glob("*.whl"))
    if with_hub:
        sources = [REPO / name for name in PACKAGES]
        found += stage("hub", key_of(project, *sources), _hub_wheel).glob("*.whl")
    return found


def environment(rootfs: Path, root: Path, lock: Path, place: str) -> None:
    """Install a lock's dependencies with the guest's own Python, as `root`/environment.

    `place` is where its unit wants it, such as `usr/lib/anbu/voice`.
    """
    copy = root.with_name("rootfs")
    run("cp", "-al", rootfs, copy)  # links: pip only adds files
    wheels = copy / "wheels"
    pip = ("-m", "pip", "--disable-pip-version-check")
    hashed = ("--no-deps", "--no-build-isolation", "--require-hashes", "-r", lock)
    download(builder(), *pip, "wheel", "--wheel-dir", wheels, *hashed)
    python = f"/{place}/bin/python"
    run("chroot", copy, "python3", "-m", "venv", f"/{place}")
    names = [f"/wheels/{wheel.name}" for wheel in wheels.glob("*.whl")]
    run("chroot", copy, python, *pip, "install", "--no-index", "--no-deps", *names)
    shutil.move(copy / place, root / "environment")
    shutil.rmtree(copy)


def pack(folder: Path, settings: Mapping[str, bytes], *, with_hub: bool = True) -> Path:
    """Make a disk in `folder`: wheels, units, and `settings` (name below /etc/anbu -> content)."""
    root = folder / "cargo"
    (root / "wheels").mkdir(parents=True)
    for wheel in wheels(with_hub=with_hub):
        shutil.copy(wheel, root / "wheels")
    lines = [f"anbu-hub[{','.join(EXTRAS)}]"] if with_hub else wanted()
    (root / "wanted.txt").write_text("\n".join(lines) + "\n")
    shutil.copytree(REPO / "systemd", root / "systemd")
    for name, data in settings.items():
        target = root / "etc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    disk = folder / "cargo.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", disk, CARGO_SIZE)
    shutil.rmtree(root)
    return disk
