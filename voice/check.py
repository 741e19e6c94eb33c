"""`anbu voice check`: which parts of the voice work here; `anbu doctor` asks it too."""

import threading
from collections.abc import Iterator
from pathlib import Path

from hub.shared.findings import Finding, bad, good, note
from hub.shared.unix_socket import is_served
from voice.hearing import models
from voice.hearing.models import Model, ModelError
from voice.loading import folder_of, plans_of
from voice.settings import VoiceSettings
from voice.sound.microphone import Microphone
from voice.sound.portaudio import PortAudio, SoundError
from voice.speaking import kokoro_files
from voice.understanding.home import phrases_of

LISTEN_S = 6.0  # for any sound of the microphone; opening it takes up to 2 s


def key_of(finding: Finding) -> str:
    """Return the key of a finding's sentence in `[check]`."""
    return finding.check if finding.code == "good" else f"{finding.check}_{finding.code}"


def examine(settings: VoiceSettings) -> Iterator[Finding]:
    """Yield the findings, as they are made."""
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
        yield note("tells", "words")
    yield _hub(settings)


def microphone(sound: PortAudio, name: str) -> Iterator[Finding]:
    """Listen for a moment to the microphone of that name."""
    try:
        device = sound.find(name, playing=False)
    except SoundError as error:
        yield bad("microphone", "missing", reason=error)
        return
    heard = threading.Event()
    opened = Microphone(sound, device.name, lambda pcm: heard.set() if any(pcm) else None)
    opened.start()
    heard.wait(LISTEN_S)
    condition = opened.condition()
    opened.stop()
    if condition.reason:
        yield bad("microphone", "missing", reason=condition.reason)
    elif not heard.is_set():
        yield bad("microphone", "silent")
    else:
        yield good("microphone", name=device.name)
    if condition.overflows:
        yield note("microphone", "lossy", count=condition.overflows)


def loudspeaker(sound: PortAudio, name: str) -> Finding:
    """Look for the loudspeaker of that name, without a sound."""
    try:
        device = sound.find(name, playing=True)
    except SoundError as error:
        return bad("loudspeaker", "missing", reason=error)
    return good("loudspeaker", name=device.name)


def _model(model: Model, folder: Path | None) -> Finding:
    try:
        models.find(model, folder)
    except ModelError as error:
        return bad("model", error.why, name=model, file=error.file)
    return good("model", name=model)


def _mouth(folder: Path | None) -> Finding:
    kokoro = kokoro_files.find(folder)
    if kokoro_files.is_whole(kokoro):
        return good("mouth", name="kokoro")
    return bad("mouth", "missing", reason=kokoro)


def _file(name: str, wrong: str, count: int) -> Finding:
    if wrong:
        return bad(name, "wrong", reason=wrong)
    return good(name, count=count)


def _hub(settings: VoiceSettings) -> Finding:
    """Try the hub's socket; that nobody serves it is no fault of the voice."""
    if is_served(Path(settings.socket)):
        return good("hub")
    return note("hub", "missing", file=settings.socket)
