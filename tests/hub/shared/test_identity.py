"""The hub's id outlives its key and certificate, so that a call finds its home."""

from pathlib import Path

import pytest

from hub.shared.identity import FACTS, NAME, known_name, remember
from tests.hub.rig import HUB
from tests.identities import enrol


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "identity"


def test_a_machine_that_never_had_a_name_has_none(root: Path) -> None:
    assert known_name(root) == ""
    root.mkdir()
    (root / "1").mkdir()
    assert known_name(root) == "", "a request that is under way"


def test_the_name_is_told_by_what_is_left(root: Path) -> None:
    enrol(root, HUB)
    for file in root.glob("1/hub.*"):
        file.unlink()
    assert known_name(root) == HUB
    remember(root, HUB)
    (root / "1" / FACTS).write_bytes(b"\0\0")
    assert known_name(root) == HUB
    (root.parent / NAME).unlink()
    assert known_name(root) == ""


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"NO NAME", b"a" * 64])
def test_a_damaged_name_is_none(root: Path, content: bytes) -> None:
    root.mkdir()
    (root.parent / NAME).write_bytes(content)
    assert known_name(root) == ""


def test_the_name_is_written_when_it_changes(root: Path) -> None:
    root.mkdir()
    remember(root, HUB)
    made = (root.parent / NAME).stat().st_ino
    remember(root, HUB)
    assert (root.parent / NAME).stat().st_ino == made
    remember(root, "js-0002")
    assert known_name(root) == "js-0002"
