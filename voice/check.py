"""`anbu voice check`: what of the voice works here and what does not; `anbu doctor` asks it too."""

import threading
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from hub.shared.unix_socket import is_served
from voice.hearing import models
from voice.hearing.models import Model, ModelError
from voice.loading import folder_of, plans_of
from voice.settings import VoiceSettings
from voice.sound.microphone import Microphone
from voice.sound.portaudio import PortAudio, SoundError
from voice.speaking import kokoro_files
from voice.understanding.home import phrases_of

LISTEN_S = 6.0  # to a microphone that gives nothing; opening one takes up to 2 s


class Finding(Struct, frozen=True):
    """`code` is the key of its sentence in `[check]`; a `bad` one must be mended."""

    code: str
    bad: bool = False
    values: dict[str, str] = {}


def examine(settings: VoiceSettings) -> Iterator[Finding]:
    """Give the findings one by one, as they are made."""
    sound = PortAudio()
    try:
        yield from microphone(sound, settings.microphone)
        yield loudspeaker(sound, settings.loudspeaker)
    finally:
        sound.close()
    folder = folder_of(settings.models)
    yield from (_model(model, folder) for model in Model)
    yield _mouth(folder)
    known, wrong = phrases_of(settings)
    yield _file("phrases", wrong, len(known.all))
    plans, wrong = plans_of(settings)
    yield _file("plans", wrong, len(plans.plans))
    if settings.tell_words:
        yield Finding("tells_words")
    yield _hub(settings)


def microphone(sound: PortAudio, name: str) -> Iterator[Finding]:
    """Listen for a moment to the microphone of that name."""
    try:
        device = sound.find(name, playing=False)
    except SoundError as error:
        yield Finding("microphone_missing", bad=True, values={"reason": str(error)})
        return
    heard = threading.Event()
    mic = Microphone(sound, device.name, lambda pcm: heard.set() if any(pcm) else None)
    mic.start()
    heard.wait(LISTEN_S)
    condition = mic.condition()
    mic.stop()
    if condition.reason:
        yield Finding("microphone_missing", bad=True, values={"reason": condition.reason})
    elif not heard.is_set():
        yield Finding("microphone_silent", bad=True)
    else:
        yield Finding("microphone", values={"name": device.name})
    if condition.overflows:
        yield Finding("microphone_lossy", values={"count": str(condition.overflows)})


def loudspeaker(sound: PortAudio, name: str) -> Finding:
    """Look for the loudspeaker of that name, without a sound."""
    try:
        device = sound.find(name, playing=True)
    except SoundError as error:
        return Finding("loudspeaker_missing", bad=True, values={"reason": str(error)})
    return Finding("loudspeaker", values={"name": device.name})


def _model(model: Model, folder: Path | None) -> Finding:
    try:
        models.find(model, folder)
    except ModelError as error:
        values = {"name": str(model), "file": error.file}
        return Finding(f"model_{error.why}", bad=True, values=values)
    return Finding("model", values={"name": str(model)})


def _mouth(folder: Path | None) -> Finding:
    kokoro = kokoro_files.find(folder)
    if kokoro_files.is_whole(kokoro):
        return Finding("mouth", values={"name": "kokoro"})
    return Finding("mouth_missing", bad=True, values={"reason": str(kokoro)})


def _file(name: str, wrong: str, count: int) -> Finding:
    if wrong:
        return Finding(f"{name}_wrong", bad=True, values={"reason": wrong})
    return Finding(name, values={"count": str(count)})


def _hub(settings: VoiceSettings) -> Finding:
    """Try the hub's socket; that nobody serves it is no fault of the voice's."""
    if is_served(Path(settings.socket)):
        return Finding("hub")
    return Finding("hub_missing", values={"file": settings.socket})
