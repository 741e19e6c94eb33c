"""The Debian packages of this checkout: built once, unpacked once; and a root to install them in.

`ANBU_DEBS` names a folder in which they lie already, as in `./check`. The large environments of
voice and centre are left out when they are built here.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout import REPO
from tests.provisioning.package.root import Root

BUILD_S = 900


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    if not shutil.which("dpkg-deb"):
        pytest.skip("no Debian here")
    folder = Path(os.environ.get("ANBU_DEBS") or tmp_path_factory.mktemp("debs"))
    if not [*folder.glob("anbu-hub_*.deb")]:
        build = REPO / "provisioning/package/build"
        subprocess.run([build, "--without", "voice,center", folder], check=True, timeout=BUILD_S)
    return sorted(folder.glob("anbu-*.deb"))


@pytest.fixture(scope="session")
def tree(debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages, unpacked over one another."""
    folder = tmp_path_factory.mktemp("tree")
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder


@pytest.fixture(scope="session")
def control(debs: list[Path]) -> dict[str, dict[str, str]]:
    """Package -> field -> value."""
    found = {}
    for deb in debs:
        text = subprocess.run(
            ["dpkg-deb", "-f", deb], check=True, capture_output=True, text=True
        ).stdout
        fields = dict(re.findall(r"^(\S+): (.*(?:\n .*)*)", text, re.MULTILINE))
        found[fields["Package"]] = fields
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    if os.geteuid() != 0:
        pytest.skip("a root to install in needs root")
    with Root(tmp_path_factory.mktemp("root")) as root:
        yield root
