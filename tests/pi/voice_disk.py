"""What an installer carries to a Pi for the voice: Debian packages, its environment, models.

A disk of its own (ext4, about 1 GB), so that the hub's tests need none of it. The environment is
made by the guest's own Python in a copy of its root file system, at full speed; only the hub's
wheel is installed on the Pi itself.
"""

import shutil
import subprocess
from pathlib import Path

from tests.pi import image, product
from tests.pi.stages import BuildError, download, key_of, need_packages, run, stage
from voice.hearing.models import Model, ModelError, find
from voice.speaking import kokoro_files

LOCK = product.REPO / "requirements/voice.txt"
CATALOGUE = product.REPO / "voice/models.toml"
DEBS = ("libportaudio2", "espeak-ng", "libatomic1")
DOCTOR = ("cryptography", "cffi", "pycparser", "requests", "certifi", "charset-normalizer",
          "idna", "urllib3")  # fmt: skip
DISK_SIZE = "1500M"
HOST_TOOLS = (("portaudio19-dev", Path("/usr/include/portaudio.h")),)
ENVIRONMENT = "usr/lib/anbu/voice"


def build() -> Path:
    """Return the disk; some minutes at first, then at once."""
    need_packages(HOST_TOOLS)
    rootfs = image.rootfs_of()
    key = key_of(rootfs.parent.name, LOCK, CATALOGUE, *DEBS, Path(__file__))
    return stage("voice", key, lambda folder: _disk(rootfs, folder)) / "voice.img"


def _disk(rootfs: Path, folder: Path) -> None:
    root = folder / "root"
    _debs(rootfs, root / "debs")
    product.environment(rootfs, root, LOCK, ENVIRONMENT)
    wheels = root / "doctor"
    download(product.builder(), "-m", "pip", "download", "--no-deps", "--dest", wheels, *DOCTOR)
    _models(root / "models")
    disk = folder / "voice.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", disk, DISK_SIZE)
    shutil.rmtree(root)


def _debs(rootfs: Path, folder: Path) -> None:
    """Download the packages and all that the guest lacks for them."""
    (folder / "partial").mkdir(parents=True)
    options = ("Debug::NoLocking=1", "APT::Sandbox::User=root",
               f"Dir::State::status={rootfs / 'var/lib/dpkg/status'}",
               f"Dir::Cache::archives={folder}")  # fmt: skip
    apt = ["apt-get", *(word for option in options for word in ("-o", option))]
    download(*apt, "install", "-y", "--download-only", "--no-install-recommends", *DEBS)
    (folder / "partial").rmdir()
    (folder / "lock").unlink(missing_ok=True)


def _models(folder: Path) -> None:
    """Lay the models out as `models` in voice.toml wants them; the neural voice if it is here."""
    try:
        homes = {str(model): find(model) for model in Model}
    except ModelError as error:
        message = f"no model for the voice here: {error}"
        raise BuildError(message) from error
    if kokoro_files.is_whole(kokoro := kokoro_files.find()):
        homes["kokoro"] = kokoro
    for name, home in homes.items():
        shutil.copytree(home, folder / name, copy_function=shutil.copy)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
