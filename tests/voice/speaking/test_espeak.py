"""espeak-ng: what it says, and how it fails."""

import shutil
from pathlib import Path

import pytest

from voice.sound.loudness import measured
from voice.speaking.espeak import Espeak
from voice.speaking.mouth import MouthError


def program(folder: Path, script: str) -> str:
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_it_says_a_sentence_and_slower_when_asked() -> None:
    usual, slow = (
        Espeak().speak("도움을 요청하고 있습니다.", 1.0),
        Espeak().speak("도움을 요청하고 있습니다.", 0.6),
    )
    assert usual.seconds > 0.8
    assert slow.seconds > 1.2 * usual.seconds
    assert measured(usual).speech_db > -40


@pytest.mark.parametrize("script", ["exit 1", "echo hello", "printf RIFF", "kill -9 $$"])
def test_a_program_that_fails_is_an_error_of_the_mouth(tmp_path: Path, script: str) -> None:
    with pytest.raises(MouthError):
        Espeak(program(tmp_path, f"cat >/dev/null; {script}")).speak("네.", 1.0)


def test_a_missing_program_is_an_error_of_the_mouth() -> None:
    with pytest.raises(MouthError):
        Espeak("no-such-program").speak("네.", 1.0)


def test_text_is_never_part_of_the_command(tmp_path: Path) -> None:
    script = f'cat >/dev/null; echo "$@" >{tmp_path}/words; exit 1'
    with pytest.raises(MouthError):
        Espeak(program(tmp_path, script)).speak("-f /etc/passwd", 1.0)
    assert "passwd" not in (tmp_path / "words").read_text(encoding="utf-8")
