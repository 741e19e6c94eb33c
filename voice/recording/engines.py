"""The engines of a build: the neural voice speaks in several ways, Whisper judges.

Only this module of the room loads models; `anbu voice bank check` works without any.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from voice.hearing.models import Model, find
from voice.hearing.whisper import Whisper
from voice.recording.build import Judge, Way
from voice.sound.pcm import HEARING_HZ, Audio, resampled
from voice.speaking import kokoro_files
from voice.speaking.kokoro import LINKED, SPEAKER, Kokoro, Person
from voice.speaking.mouth import USUAL_SPEED

WINDOW_S = 26  # and 4 that `Whisper` adds; with hearing's short window it judges too kindly
VARIANTS: tuple[tuple[str, ...], ...] = (
    SPEAKER.variants,
    (),
    (*SPEAKER.variants, "voiced"),
    (*SPEAKER.variants, LINKED),
    (*SPEAKER.variants, "breathed", "glided"),
    ("central_eo", "plain_ae"),
    (*SPEAKER.variants, "near_o", "soft_ch"),
    (*SPEAKER.variants, "lateral", "plain_l"),
)
SPEEDS = (USUAL_SPEED, USUAL_SPEED * 0.94, USUAL_SPEED * 1.06)


def ways(models: Path | None) -> Iterator[Way]:
    """Yield the ways to say a sentence: the usual one, then its variants, then other speeds."""
    engine = Kokoro(kokoro_files.find(models), SPEAKER)
    for speed in SPEEDS:
        for variants in VARIANTS:
            made = f"{Person(SPEAKER.mix, variants).name} {speed:.2f}"
            yield Way(made, partial(engine.vary, speed=speed, variants=variants))


def judge(models: Path | None) -> Judge:
    """Return the recogniser. Raises ModelError."""
    whisper = Whisper(find(Model.WHISPER, models))

    def hears(audio: Audio) -> str:
        pcm = resampled(audio.pcm, audio.rate_hz, HEARING_HZ)
        heard = whisper.encode(pcm.ljust(2 * WINDOW_S * HEARING_HZ, b"\0"))
        guesses, _ = whisper.guess(heard)
        return guesses[0].text if guesses else ""

    return hears
