"""Load what speaks and what hears, as the settings say; what is missing is told, the rest works."""

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
from voice.hearing import engines, vad
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
    """What was loaded: the names of the engines that work, and what is wrong with others."""

    engines: tuple[str, ...] = ()
    trouble: str = ""
    mouth: Mouth | None = None
    hearing: Hearing | None = None
    detect_overheard: vad.Detect | None = None  # for what is said while we speak


def load(settings: VoiceSettings, done: Callable[[Loaded], None]) -> None:
    """Load the mouth, then hearing (up to 10 s); call `done` with each. Never raises."""
    mouth, speaking = mouth_of(settings)
    done(Loaded(speaking, mouth=mouth))
    home, wrong = Understanding.of(settings)
    found = engines.load(folder_of(settings.models), home.phrases, threads=settings.threads)
    hearing = Hearing(
        found, home.phrases, sensitivity=home.sensitivity,
        spoken_sos=home.spoken_sos, tell_words=settings.tell_words,
    )  # fmt: skip
    troubles = [*map(str, found.troubles), *filter(None, [wrong])]
    detect = None if found.recogniser is None else vad.detector()
    settle_memory()
    done(Loaded(found.names, "; ".join(troubles), hearing=hearing, detect_overheard=detect))


def richer(hello: Hello, found: Loaded) -> Hello:
    """Return the greeting with what was loaded besides."""
    hears = hello.hears or (found.hearing is not None and bool(found.engines))
    return replace(hello, engines=hello.engines + found.engines, hears=hears)


def mouth_of(settings: VoiceSettings) -> tuple[Mouth, tuple[str, ...]]:
    """Return the mouth and the names of its engines; a county's own recordings go first."""
    own = folder_of(settings.bank)
    bank = Bank([*([own] if own else []), SHIPPED])
    speakers: list[Synthesizer] = [Espeak()]
    kokoro = kokoro_files.find(folder_of(settings.models))
    if kokoro_files.is_whole(kokoro):
        speakers.insert(0, Kokoro(kokoro))
    mouth = Mouth(bank, speakers, Cache(Path(settings.cache_dir)))
    return mouth, tuple(engine.name.split()[0] for engine in speakers)


def mistakes_of(settings: VoiceSettings, noted: Noted) -> tuple[Mistake, ...]:
    """Return the mistakes in a county's phrases and plans; `noted` is told of old encodings."""
    found: tuple[Mistake, ...] = ()
    with suppress(OSError):  # another check tells of that
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
    """Return the plans, a county's own first; if these cannot be used only ours, and why."""
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
    """Return a folder of the settings; None where none is named."""
    return Path(path) if path else None
