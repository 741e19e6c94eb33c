"""`anbu voice record --live` as it is run: a terminal, PortAudio, PulseAudio, files on the disk."""

import codecs
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.layout import REPO
from tests.voice.room import Room
from voice.sound.loudness import SPEECH_DB, measured, trimmed
from voice.sound.pcm import SPEECH_HZ, Audio
from voice.speaking.bank import Bank, file_name, fixed_sentences, read_index

FIRST, SECOND = fixed_sentences()[1:3]
CONFIG = 'microphone = "microphone"\nloudspeaker = "loudspeaker"\nvolume_pct = 100\nsilent_s = 3\n'
READY, AGAIN = "[Enter] record   [3]", "[Enter] try again"
SPEAK, KEEP = "Speak now", "[Enter] store"


def said(text: str) -> bytes:
    sound = Bank().find(text)
    assert sound is not None
    quiet = bytes(2 * SPEECH_HZ // 2)
    return quiet + sound.pcm + quiet


class Seat:
    """A terminal in which the command runs; what it shows, and the keys to press."""

    def __init__(self, place: Room, folder: Path, *words: str) -> None:
        (folder / "voice.toml").write_text(CONFIG, encoding="utf-8")
        self.place, self.shown, self._seen = place, "", 0
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "hub", "voice", "--config", str(folder / "voice.toml")]
        environment = {**place.environment, "ANBU_LANG": "en"}
        # A shell's job in the background ignores Ctrl-C, and so would what it starts.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                [*command, "record", "--live", "--to", str(folder / "own"), *words],
                stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=REPO,
                start_new_session=True,
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)
            os.close(theirs)

    def sees(self, text: str, within_s: float = 60) -> None:
        """Wait for a text behind the one that was waited for before."""
        end = monotonic() + within_s
        while (at := self.shown.find(text, self._seen)) < 0:
            assert monotonic() < end, self.shown
            if not self._read(0.2):
                assert self.shown.find(text, self._seen) >= 0, self.shown
        self._seen = at + len(text)

    def press(self, keys: str = "\n") -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def says(self, text: str) -> None:
        """Press Enter, and say a sentence when asked to."""
        self.press()
        self.sees(SPEAK)
        self.place.say(said(text), SPEECH_HZ)

    def ends(self) -> int:
        """Wait for the end, and return the exit code."""
        end = monotonic() + 60
        while self._read(0.2):
            assert monotonic() < end, self.shown
        return self.process.wait(20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self._ours)

    def _read(self, within_s: float) -> bool:
        if not select.select([self._ours], [], [], within_s)[0]:
            return True
        try:
            got = os.read(self._ours, 65_536)
        except OSError:  # the other end is gone
            return False
        self.shown += self._text.decode(got).replace("\r\n", "\n")
        return bool(got)


@contextmanager
def seat(place: Room, folder: Path, *words: str) -> Iterator[Seat]:
    it = Seat(place, folder, *words)
    try:
        yield it
    finally:
        it.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="anbu-") as folder:
        yield Path(folder)


def test_a_volunteer_records_two_sentences_in_two_sittings(place: Room, folder: Path) -> None:
    own = folder / "own"
    with seat(place, folder, "--only", "2-3", "--speaker", "군청 홍길동") as it:
        it.sees(f"{FIRST}\n")
        it.sees(READY)
        it.says(FIRST)
        it.sees(KEEP)
        assert not list(own.iterdir())  # only in memory until it is wanted

        def listens() -> None:
            it.press("1")
            it.sees(KEEP)

        heard = place.listen(listens)
        it.press()
        it.sees("Stored: 002")
        it.sees(READY)
        it.process.send_signal(signal.SIGKILL)
    assert measured(Audio(heard, 16_000)).speech_db == pytest.approx(SPEECH_DB, abs=3)
    assert {path.name for path in own.iterdir()} == {file_name(FIRST), "index.tsv"}

    with seat(place, folder, "--only", "2-3") as it:
        it.sees(f"{SECOND}\n")
        assert FIRST not in it.shown
        it.sees(READY)
        it.says(SECOND)
        it.sees(KEEP)
        it.press()
        assert it.ends() == 0
        assert f'bank = "{own}"' in it.shown
    for text in (FIRST, SECOND):
        kept, first = Bank([own]).find(text), Bank().find(text)
        assert kept is not None
        assert first is not None
        assert trimmed(kept).seconds > trimmed(first).seconds - 0.2  # a busy room stutters
        assert measured(kept).speech_db == pytest.approx(SPEECH_DB, abs=2)
    assert read_index(own)[file_name(FIRST)].made == "군청 홍길동"


def test_the_microphone_disappears_amid_a_sentence(place: Room, folder: Path) -> None:
    with seat(place, folder, "--only", "2-3") as it:
        it.sees(READY)
        it.press()
        it.sees(SPEAK)
        place.unplug()
        try:
            it.sees("stopped giving sound")
            it.sees(AGAIN)
            it.press()
            it.sees(AGAIN)
        finally:
            place.plug_in()
        it.says(FIRST)
        it.sees(KEEP)
        it.press()
        it.sees("Stored")
        it.sees(READY)
        place.unplug()
        try:
            it.press()
            it.sees(AGAIN)
            it.press("0")
            assert it.ends() == 2
        finally:
            place.plug_in()
        assert "Stored this time: 1." in it.shown
        assert "Traceback" not in it.shown


def test_a_microphone_that_is_switched_off_is_told_before_anybody_speaks(
    place: Room, folder: Path
) -> None:
    place.mute(on=True)
    try:
        with seat(place, folder) as it:
            assert it.ends() == 2
    finally:
        place.mute(on=False)
    assert "Look at its switch" in it.shown
    assert "no sound at all" in it.shown


def test_no_such_microphone(place: Room, folder: Path) -> None:
    with seat(place, folder, "--microphone", "Grandma's USB") as it:
        assert it.ends() == 2
    assert "There is no such microphone" in it.shown
    assert "no microphone:" not in it.shown  # the log's own words


def test_ctrl_c_leaves_a_terminal_as_it_was(place: Room, folder: Path) -> None:
    with seat(place, folder) as it:
        it.sees(READY)
        it.press()
        it.sees(SPEAK)
        it.process.send_signal(signal.SIGINT)
        assert it.ends() == 1
        assert f"Sentences left: {len(fixed_sentences())}." in it.shown
        assert "Traceback" not in it.shown
