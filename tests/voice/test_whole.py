"""The whole system with sound: a call in the room reaches the centre, even if the voice hangs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.layout import REPO
from tests.voice.process import CACHE, recording
from tests.voice.room import Room, until

pytestmark = pytest.mark.broker


class Home:
    """The demo in the room of sound: broker, centre, hub in a virtual house, and the voice."""

    def __init__(self, folder: Path, place: Room) -> None:
        self.folder, self.place = folder, place

    def calls(self) -> list[str]:
        """Return the calls that the centre has stored."""
        with closing(sqlite3.connect(self.folder / "state" / "center.db")) as database:
            return [kind for (kind,) in database.execute("select kind from incidents")]

    def seen(self) -> dict[str, object]:
        """Return what the virtual house shows and has said."""
        words = (sys.executable, "-m", "hub", "house", "lamps", "--json")
        told = subprocess.run(
            (*words, "--socket", str(self.folder / "house.sock")),
            cwd=REPO, capture_output=True, check=True,
        )  # fmt: skip
        return dict(json.loads(told.stdout))

    def said(self) -> list[str]:
        """Return the keys of the sentences that the hub has said."""
        return [said["phrase"] for said in self.seen()["said"]]  # type: ignore[attr-defined]

    def press(self) -> None:
        """Press the red button."""
        words = (sys.executable, "-m", "hub", "house", "press", "help", "--ms", "200")
        subprocess.run(
            (*words, "--socket", str(self.folder / "house.sock")),
            cwd=REPO, capture_output=True, check=True,
        )  # fmt: skip

    def voice(self) -> int:
        """Return the process id of the voice, 0 where there is none."""
        mark = f"{self.folder}/voice.toml"
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has just ended
                continue
            if mark in words and words.startswith(sys.executable):
                return int(process.name)
        return 0

    def ready(self) -> int:
        """Count how often a voice was ready to hear."""
        log = (self.folder / "log" / "voice.log").read_text(encoding="utf-8", errors="replace")
        return log.count("whisper")


@contextmanager
def demonstrated(place: Room) -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="anbu-") as name:
        command = (sys.executable, "-m", "provisioning.demo.command", "--dir", name, "--json")
        demo = subprocess.Popen(
            (*command, "--voice", sys.executable),
            cwd=REPO, stdout=subprocess.PIPE, text=True,
            env=place.environment | {"XDG_CACHE_HOME": str(CACHE)},
        )  # fmt: skip
        assert demo.stdout
        try:
            assert any(line.startswith("{") for line in demo.stdout)
            yield Home(Path(name), place)
        finally:
            demo.send_signal(signal.SIGINT)
            assert demo.wait(30) == 0
            demo.stdout.close()


@pytest.fixture(scope="module")
def home(sound_server: Room) -> Iterator[Home]:
    with demonstrated(sound_server) as home:
        assert until(home.ready, 90)
        yield home


def test_a_call_in_the_room_becomes_a_call_at_the_centre(home: Home) -> None:
    home.place.say(recording("help"))
    assert until(lambda: "ask_help" in home.said(), 20)
    assert until(lambda: home.calls() == ["spoken"], 40)
    assert until(lambda: "received" in home.said(), 20)


def test_a_voice_that_hangs_holds_up_no_press_and_comes_back(home: Home) -> None:
    hung, ups = home.voice(), home.ready()
    assert hung
    os.kill(hung, signal.SIGSTOP)
    before = len(home.calls())
    home.press()
    with closing(sqlite3.connect(home.folder / "state" / "center.db")) as database:
        count = "select count(*) from events where type = 'anbu.alarm.repeated'"
        assert until(lambda: database.execute(count).fetchone()[0] >= 1, 10)
    assert len(home.calls()) == before  # one more call of the alarm that is open
    assert until(lambda: home.voice() not in {0, hung}, 40)
    assert until(lambda: home.ready() > ups, 60)
