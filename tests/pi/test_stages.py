"""What the builds share: a mirror that fails once is asked again, one that goes on is told of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pi import stages
from tests.pi.stages import BuildError, download

Mirror = Callable[[int], Path]


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A program that fails so many times first; each start leaves a line behind."""
    monkeypatch.setattr(stages, "PAUSES_S", (0, 0))

    def failing(times: int) -> Path:
        program = tmp_path / "mirror"
        program.write_text(
            f'#!/bin/sh\necho x >>"$0.starts"\n'
            f'[ $(wc -l <"$0.starts") -gt {times} ] && echo got it\n'
        )
        program.chmod(0o755)
        return program

    return failing


def starts(program: Path) -> int:
    return len(program.with_name("mirror.starts").read_text().splitlines())


def test_a_download_that_fails_once_is_tried_again(mirror: Mirror) -> None:
    program, cleaned = mirror(1), []
    assert download(program, clean=lambda: cleaned.append(1)) == "got it\n"
    assert (starts(program), len(cleaned)) == (2, 1)


def test_a_mirror_that_is_down_is_said_to_be(mirror: Mirror) -> None:
    program = mirror(99)
    with pytest.raises(BuildError, match="failed 3 times; is the network there"):
        download(program)
    assert starts(program) == 3
