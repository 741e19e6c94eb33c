"""One room of sound for all tests that need one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import voice  # noqa: F401 - before numpy: it says with how many threads numpy is to solve
from tests.voice.room import Room, missing, room


@pytest.fixture(scope="package")
def sound_server() -> Iterator[Room]:
    assert not missing(), f"no {missing()} here: ./check installs it"
    with tempfile.TemporaryDirectory(prefix="anbu-") as folder, room(Path(folder)) as place:
        yield place


@pytest.fixture
def place(sound_server: Room, monkeypatch: pytest.MonkeyPatch) -> Room:
    """The room, for PortAudio in this very process too."""
    for name, value in sound_server.environment.items():
        if os.environ.get(name) != value:
            monkeypatch.setenv(name, value)
    return sound_server
