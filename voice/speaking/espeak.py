"""espeak-ng by its command line: hardly understood in Korean, but always installed.

Measured in docs/decisions/0016: a listener notices that something is said, but hardly what.
"""

import shutil
import subprocess
from pathlib import Path

from voice.korean.pronounce import pronounce
from voice.sound.pcm import Audio
from voice.speaking.mouth import MouthError

WORDS_A_MINUTE = 150  # at speed 1.0
AT_MOST_S = 20.0
HEADER = 44


class Espeak:
    """Speaks by `espeak-ng -v ko`."""

    name = "espeak-ng"

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program

    def speak(self, text: str, speed: float) -> Audio:
        """Say `text`. Raises MouthError where the program is missing, fails or hangs."""
        program = shutil.which(self._program)
        if program is None:
            message = f"{self._program} is not installed"
            raise MouthError(message)
        return _sound(_output(Path(program), pronounce(text), round(WORDS_A_MINUTE * speed)))


def _output(program: Path, text: str, words_a_minute: int) -> bytes:
    command = [str(program), "-v", "ko", "-s", str(words_a_minute), "--stdin", "--stdout"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the text goes in by stdin
            command, input=text.encode("utf-8", "replace"), capture_output=True, check=True,
            timeout=AT_MOST_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise MouthError(str(program)) from error
    return done.stdout


def _sound(wav: bytes) -> Audio:
    begin = wav.find(b"data", 0, 4 * HEADER) + 8  # lengths in the header are wrong
    if wav[:4] != b"RIFF" or begin < HEADER or len(wav) < begin + 2:
        message = "no sound came out"
        raise MouthError(message)
    pcm = wav[begin:]
    return Audio(pcm[: len(pcm) // 2 * 2], int.from_bytes(wav[24:28], "little"))
