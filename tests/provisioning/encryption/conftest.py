"""A card for tests: a real ext4 in a file, whose raw bytes can be searched."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from provisioning.encryption import fscrypt

FEATURE = Path("/sys/fs/ext4/features/encryption")
LOOP = Path("/dev/loop-control")


class Card:
    """The file system of a hub, mounted while a context lasts. The kernel forgets keys with it."""

    def __init__(self, image: Path, place: Path) -> None:
        self.image, self.root = image, place

    def __enter__(self) -> Self:
        self.root.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "loop,noatime", self.image, self.root], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", self.root], check=True)

    def holds(self, *texts: bytes) -> list[bytes]:
        """Return which of some texts are found in the raw bytes."""
        raw = self.image.read_bytes()
        return [text for text in texts if text in raw]


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    if os.geteuid() != 0 or not FEATURE.exists() or not LOOP.exists():
        pytest.skip("needs root, loop devices, and a kernel that encrypts folders of ext4")
    image = tmp_path / "card.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image, "48M"], check=True)
    card = Card(image, tmp_path / "root")
    with card:
        (card.root / "var/lib").mkdir(parents=True)
        (card.root / "var/cache").mkdir()
    yield card
    assert not os.path.ismount(card.root)


@pytest.fixture
def no_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that encrypts no folders."""

    def refuse(*_: object) -> bytes:
        raise fscrypt.UnsupportedError

    monkeypatch.setattr(fscrypt, "policy", refuse)
    monkeypatch.setattr(fscrypt, "switch_on", refuse)
