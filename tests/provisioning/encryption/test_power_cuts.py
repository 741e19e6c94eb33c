"""A power cut at every flush of the first start and of a wiping: whole, or unreadable for ever.

The card's writes and flushes are recorded (tests/pi/flushes); at each flush a hub starts from it.
"""

import random
import subprocess
from pathlib import Path

import pytest

from provisioning.encryption import folders, keyfile, start, wiping
from provisioning.encryption.folders import HUB, Kept
from tests.pi.figures import say
from tests.pi.flushes import recorder
from tests.pi.flushes.images import Image, boundaries, copied
from tests.pi.flushes.record import operations
from tests.pi.flushes.recorder import Recorder
from tests.pi.flushes.replay import DISK, RECORD
from tests.provisioning.encryption.conftest import FEATURE, Card

CANARY = "카나리아 할머니".encode()
PASSWORD, CALL = b"canary-password-93", b"a call of the next home"
PLAIN = ("etc/netplan/home.yaml", "var/swap", "var/log/journal/0123/system.journal")
pytestmark = pytest.mark.skipif(
    not recorder.is_usable() or not FEATURE.exists(),
    reason="needs root, FUSE, loop devices, qemu-storage-daemon and encrypted folders of ext4",
)


def synced(root: Path) -> None:
    subprocess.run(["sync", "-f", root], check=True)


def test_a_cut_leaves_the_home_whole_or_nothing_of_it(tmp_path: Path) -> None:
    with Recorder(tmp_path) as disk:
        root = disk.mounted
        assert start.start(root)
        (root / HUB / "name").write_bytes(CANARY)
        for name in PLAIN:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"wifi " + PASSWORD)
        synced(root)
        key = (root / keyfile.FOLDER / "key").read_bytes()[:64]
        wiping.begin(root)
        wiping.go_on(root)
        synced(root)
    cuts = [_after_a_cut(image, key) for image in _cuts(tmp_path)]
    first, last = cuts.index("whole"), len(cuts) - cuts[::-1].index("whole")
    say(f"{len(cuts)} power cuts: {first} before, {last - first} whole, {len(cuts) - last} wiped")
    assert set(cuts[:first]) <= {"blank", "blank, with its key"}
    assert set(cuts[first:last]) == {"whole"}
    assert set(cuts[last:]) == {"blank"}, "nothing of it, and not the key"


def _cuts(folder: Path) -> list[Path]:
    """Return images of the card: at each flush, and with parts of what was written after it."""
    made = copied(folder / DISK, folder / "base.img")
    base, images = Image(made), list[Path]()
    dice = random.Random(0)  # noqa: S311 - no secret
    for boundary in boundaries(base, operations(folder / RECORD)):
        for torn in (False, True):
            images.append(copied(made, folder / f"{boundary.number}{'-torn' * torn}.img"))
            if torn:
                cut = Image(images[-1])
                cut.tear(boundary.after, dice)
                cut.close()
    base.close()
    return images


def _after_a_cut(image: Path, key: bytes) -> str:
    """Start twice from an image, as a hub does; return what there is then.

    What a hub that was wiped writes after the first start is there after the second.
    """
    card = Card(image, image.with_suffix(""))
    for number in range(2):
        with card:
            assert start.start(card.root)
            assert not wiping.is_begun(card.root)
            assert not wiping.is_left(card.root)
            assert folders.prepare(card.root)[HUB] is Kept.ENCRYPTED
            assert not list((card.root / "var/lib").glob(f"*{folders.ASIDE}"))
            assert not list((card.root / "var/lib").glob(f".*{wiping.WIPING}*"))
            call = card.root / HUB / "call"
            assert number == 0 or call.read_bytes() == CALL
            call.write_bytes(CALL)
            name = card.root / HUB / "name"
            whole = name.exists() and name.read_bytes() == CANARY
    found = card.holds(CANARY, key, PASSWORD)
    image.unlink()
    assert CANARY not in found
    if whole:
        return "whole"
    assert PASSWORD not in found or key in found
    return "blank, with its key" if found else "blank"
