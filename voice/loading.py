"""What speaks and what hears, made from the settings: what is missing is told, the rest works."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.voice import Hello
from hub.shared.settings import Mistake, Noted, SettingsError, text_of
from hub.shared.system import settle_memory
from voice.dialogue import plan_files, plans
from voice.dialogue.plans import PlanError, Plans
from voice.hearing import hearing, vad
from voice.hearing.hearing import Hearing
from voice.settings import VoiceSettings
from voice.speaking import kokoro_files
from voice.speaking.bank import SHIPPED, Bank
from voice.speaking.cache import Cache
from voice.speaking.espeak import Espeak
from voice.speaking.kokoro import Kokoro
from voice.speaking.mouth import Mouth, Synthesizer
from voice.understanding import phrases
from voice.understanding.home import Understanding


class Loaded(Struct, frozen=True):
    """What has been made so far: the names of engines that work, and what is out of order."""

    engines: tuple[str, ...] = ()
    trouble: str = ""
    mouth: Mouth | None = None
    hearing: Hearing | None = None
    amid: vad.Detect | None = None  # for what is said while we speak, where it can be judged


def load(settings: VoiceSettings, done: Callable[[Loaded], None]) -> None:
    """Make the mouth, then the hearing (up to 10 s); `done` is told of each. Never raises."""
    mouth, speaking = mouth_of(settings)
    done(Loaded(speaking, mouth=mouth))
    home, wrong = Understanding.of(settings)
    engines = hearing.load(folder_of(settings.models), home.phrases, threads=settings.threads)
    ears = Hearing(
        engines, home.phrases, sensitivity=home.sensitivity,
        spoken_sos=home.spoken_sos, tell_words=settings.tell_words,
    )  # fmt: skip
    troubles = [*map(str, engines.troubles), *filter(None, [wrong])]
    amid = None if engines.recogniser is None else vad.detector()
    settle_memory()
    done(Loaded(engines.names, "; ".join(troubles), hearing=ears, amid=amid))


def richer(hello: Hello, found: Loaded) -> Hello:
    """Give the voice's greeting with what has been found besides."""
    hears = hello.hears or (found.hearing is not None and bool(found.engines))
    return replace(hello, engines=hello.engines + found.engines, hears=hears)


def mouth_of(settings: VoiceSettings) -> tuple[Mouth, tuple[str, ...]]:
    """Give the mouth, and the names of its engines: a county's own recordings go first."""
    own = folder_of(settings.bank)
    bank = Bank([*([own] if own else []), SHIPPED])
    engines: list[Synthesizer] = [Espeak()]
    kokoro = kokoro_files.find(folder_of(settings.models))
    if kokoro_files.is_whole(kokoro):
        engines.insert(0, Kokoro(kokoro))
    mouth = Mouth(bank, engines, Cache(Path(settings.cache_dir)))
    return mouth, tuple(engine.name.split()[0] for engine in engines)


def mistakes_of(settings: VoiceSettings, noted: Noted) -> tuple[Mistake, ...]:
    """Give all that is wrong with a county's phrases and plans; `noted` hears of old encodings."""
    found: tuple[Mistake, ...] = ()
    with suppress(OSError):  # which is told already
        if settings.phrases:
            path = Path(settings.phrases)
            try:
                phrases.load(text_of(path.read_bytes(), str(path), noted), str(path))
            except SettingsError as error:
                found = error.mistakes
        if settings.plans:
            found += plan_files.gather(Path(settings.plans), noted=noted)[1]
    return found


def plans_of(settings: VoiceSettings) -> tuple[Plans, str]:
    """Give the plans, a county's own first; only ours, and why, where they cannot be used."""
    own = folder_of(settings.plans)
    if own is None:
        return Plans.load(), ""
    try:
        return Plans.load(own, plans.SHIPPED), ""
    except OSError as error:
        return Plans.load(), f"plans: {error.strerror}"
    except PlanError as error:
        return Plans.load(), f"plans: {str(error).splitlines()[0]}"


def folder_of(path: str) -> Path | None:
    """Give a folder of the settings; None where none is named."""
    return Path(path) if path else None
