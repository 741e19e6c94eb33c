"""`anbu voice record --live`: what is asked of it, what is left to record, and its keyboard."""

import argparse
import os
import pty
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.layout import REPO
from tests.voice.sound.test_loudness import tone
from voice import cli
from voice.recording import command
from voice.recording.command import run_record
from voice.recording.desk import Meter, TerminalKeys, single_keys
from voice.recording.review import Fault, store
from voice.recording.session import MENUS, Prompt
from voice.settings import VoiceSettings
from voice.speaking.bank import file_name, fixed_sentences, read_index

MESSAGES = REPO / "voice" / "messages"
TEXTS = fixed_sentences()


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(["record", *words])


def record(*words: str) -> int:
    return run_record(parsed(*words))


def test_without_a_terminal_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record("--live", "--to", str(tmp_path)) == 2
    told = capsys.readouterr().out
    assert "터미널에서 실행해야" in told
    assert "needs a terminal" not in told


def test_a_folder_is_named_by_the_command_or_by_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record("--live") == 2
    assert "--to" in capsys.readouterr().out
    config = tmp_path / "voice.toml"
    config.write_text('bank = "own"\n')
    store(tmp_path / "own", TEXTS[0], tone(2.5), "x")
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    words = ["--config", str(config), "record", "--live", "--only", "1"]
    assert run_record(parser.parse_args(words)) == 0
    assert "녹음할 문장이 없습니다" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["0", "2-1", "1-9999", "a", "1-", "-3", "1-2-3", "", "\u0661"])
def test_a_range_that_cannot_be_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed("--live", f"--only={words}")
    assert ended.value.code == 2
    assert f"{len(TEXTS)}" in capsys.readouterr().err


def test_live_goes_with_neither_list_nor_folder(capsys: pytest.CaptureFixture[str]) -> None:
    for other in (["--list"], ["--from", "x"]):
        with pytest.raises(SystemExit):
            parsed("--live", *other)
    for words in (["--only", "3"], ["--again"], ["--microphone", "USB"]):
        assert record("--list", *words) == 2
    assert "--live와 함께" in capsys.readouterr().out


class Sitting:
    """Stands in for a session: what it was asked to record, and what came of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, came: int | BaseException = 0) -> None:
        self.numbers: list[int] = []
        self.settings = VoiceSettings()
        self.came = came
        monkeypatch.setattr(command, "_session", self.session)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    def session(
        self, settings: VoiceSettings, folder: Path, prompts: list[Prompt], speaker: str
    ) -> int:
        del speaker
        self.numbers, self.settings = [prompt.number for prompt in prompts], settings
        if isinstance(self.came, BaseException):
            raise self.came
        store(folder, prompts[0].text, tone(2.5), "x")
        return self.came


def test_only_what_is_missing_or_damaged_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (2, 3):
        store(tmp_path, TEXTS[number - 1], tone(2.5), "x")
    (tmp_path / file_name(TEXTS[2])).write_bytes(b"")  # the power went amid the writing
    sitting = Sitting(monkeypatch)
    words = ["--live", "--to", str(tmp_path), "--microphone", "USB", "--only", "1-4"]
    assert record(*words) == 1
    assert sitting.numbers == [1, 3, 4]
    assert sitting.settings.microphone == "USB"
    assert "아직 2문장이 남았습니다." in capsys.readouterr().out
    assert record(*words, "--again") == 1
    assert sitting.numbers == [1, 2, 3, 4]
    assert record(*words) == 1
    assert record(*words) == 0
    assert sitting.numbers == [4]
    told = capsys.readouterr().out
    assert "모든 문장이 있습니다" in told
    assert f'bank = "{tmp_path}"' in told


def test_a_lost_microphone_a_full_disk_and_ctrl_c_have_their_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--live", "--to", str(tmp_path / "own")]
    Sitting(monkeypatch, 2)
    assert record(*words) == 2
    Sitting(monkeypatch, KeyboardInterrupt())
    assert record(*words) == 1
    Sitting(monkeypatch, OSError(28, "No space left on device"))
    assert record(*words) == 2
    assert "No space left on device" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_told_before_anybody_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    sitting = Sitting(monkeypatch)
    assert record("--live", "--to", str(tmp_path / "file" / "own")) == 2
    assert not sitting.numbers
    assert "저장할 수 없습니다" in capsys.readouterr().out


def test_what_is_stored_is_on_the_disk_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    store(tmp_path / "own", TEXTS[0], tone(2.5), "홍길동\t(군청)\n")
    assert synced == [".index.tsv.new", file_name(TEXTS[0]), "own"]
    assert read_index(tmp_path / "own")[file_name(TEXTS[0])].made == "홍길동 (군청)"


def test_a_crash_amid_the_index_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, TEXTS[0], tone(2.5), "x")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store(tmp_path, TEXTS[1], tone(2.5), "x")
    assert [entry.text for entry in read_index(tmp_path).values()] == [TEXTS[0]]


def test_every_message_is_there_in_both_languages_with_the_same_gaps() -> None:
    ko, en = (tomllib.loads((MESSAGES / f"mouth.{lang}.toml").read_text()) for lang in ("ko", "en"))
    assert {table: set(ko[table]) for table in ko} == {table: set(en[table]) for table in en}
    assert set(ko["flaw"]) == set(Fault)
    assert set(MENUS) < set(ko["live"])
    for menu, keys in MENUS.items():
        for said in (ko, en):
            shown = said["live"][menu].replace("[Enter]", "[\n]")
            assert {key for key in "\n01234" if f"[{key}]" in shown} == set(keys)


@pytest.fixture
def terminal() -> Iterator[tuple[int, TerminalKeys]]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stream, single_keys(stream):
        yield ours, TerminalKeys(stream)
    os.close(ours)


def test_each_key_comes_alone_and_without_enter(
    terminal: tuple[int, TerminalKeys],
) -> None:
    ours, keys = terminal
    os.write(ours, b"1")
    assert keys.wait() == "1"
    os.write(ours, b"\r")
    assert keys.wait() == "\n"
    assert keys.pressed() == ""
    os.write(ours, b"\x1b[A")
    assert keys.wait() == ""  # an arrow
    os.write(ours, "ㄴ".encode())
    assert keys.wait() not in {"0", "1", "2", "3", "4", "\n", ""}
    os.write(ours, b"\x04")
    with pytest.raises(EOFError):
        keys.wait()


def test_what_was_pressed_before_it_was_asked_is_forgotten(
    terminal: tuple[int, TerminalKeys],
) -> None:
    ours, keys = terminal
    os.write(ours, b"\n\n")
    keys.forget()
    assert keys.pressed() == ""


def test_a_closed_terminal_is_the_end() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stream:
        keys = TerminalKeys(stream)
        os.close(ours)
        keys.forget()
        with pytest.raises(EOFError):
            keys.wait()


def test_the_bar_is_longer_the_louder_it_is_and_goes_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meter = Meter()
    for level in (-120.0, -36.0, -36.0, 0.0, None):
        meter.show(level)
    drawn = capsys.readouterr().out.split("\r")[1:]
    assert [bar.count("█") for bar in drawn] == [0, 12, 24, 0]
    assert drawn[-1] == "\x1b[K"
