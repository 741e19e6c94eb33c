"""The card that an installer puts in: a FAT partition with the packages and the county's files.

As in provisioning/image/README.md: cloud-init's three files, and the folder `anbu` with the .deb
files, `county.toml` and `ca.crt`. Packages that Debian has and this image lacks lie there
too: there may be no network yet. The packages are built anew when their source has changed.
"""

import shutil
from functools import partial
from pathlib import Path

from tests.pi import image
from tests.pi.image import TRIXIE
from tests.pi.product import PACKAGES, REPO
from tests.pi.stages import download, key_of, need_packages, run, stage

LEFT_OUT = "voice,center"  # large; what they are for is shown elsewhere
TOOLS = (("dosfstools", Path("/sbin/mkfs.vfat")), ("mtools", Path("/usr/bin/mcopy")))
IMAGE = REPO / "provisioning/image"
SOURCES = (*PACKAGES, "systemd", "requirements", "docs/examples")
FILES = ("pyproject.toml", "CHANGELOG.md", "README.md", "LICENSE")
ROOM_KB = 16 * 1024


def _debs(folder: Path) -> None:
    """Build ours as `provisioning/package/build` does for whoever makes cards."""
    build = REPO / "provisioning/package/build"
    run(build, "--suite", TRIXIE.suite, "--without", LEFT_OUT, folder)


def _dependencies(rootfs: Path, ours: Path, folder: Path) -> None:
    """Let apt of the guest's Debian say which packages ours need besides what it has."""
    copy = folder / "rootfs"
    run("cp", "-al", rootfs, copy)  # links: apt only adds files and replaces whole ones
    names = []
    for deb in ours.glob("*.deb"):
        shutil.copy(deb, copy)
        names.append(f"/{deb.name}")
    apt = ("chroot", copy, "apt-get", "-q", "-o", "APT::Sandbox::User=root")
    download(*apt, "update")
    download(*apt, "install", "-y", "--download-only", "--no-install-recommends", *names)
    for deb in (copy / "var/cache/apt/archives").glob("*.deb"):
        shutil.copy(deb, folder)
    shutil.rmtree(copy)


def debs() -> list[Path]:
    """Each package that lies on the card; minutes when something has changed, else at once."""
    source = [REPO / name for name in (*SOURCES, *FILES)]
    ours = stage("debs", key_of(*source), _debs)
    rootfs = image.rootfs_of(TRIXIE)
    key = key_of(rootfs.parent.name, REPO / "provisioning/package/debian")
    others = stage("dependencies", key, partial(_dependencies, rootfs, ours))
    return sorted([*ours.glob("*.deb"), *others.glob("*.deb")])


def card(folder: Path, county: str, wiring: str, authority: bytes) -> Path:
    """Make the card's first partition in `folder`, with the county's files."""
    need_packages(TOOLS)
    root = folder / "bootfs"
    (root / "anbu").mkdir(parents=True)
    for name in ("user-data", "network-config", "meta-data"):
        shutil.copy(IMAGE / name, root)
    for deb in debs():
        shutil.copy(deb, root / "anbu")
    (root / "anbu/county.toml").write_text(county, "utf-8")
    (root / "anbu/hub.toml").write_text(wiring, "utf-8")
    (root / "anbu/ca.crt").write_bytes(authority)
    disk = folder / "bootfs.img"
    size_kb = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) // 1024
    run("mkfs.vfat", "-C", "-n", "bootfs", disk, str(size_kb + ROOM_KB))
    run("mcopy", "-s", "-i", disk, *root.iterdir(), "::")
    shutil.rmtree(root)
    return disk
