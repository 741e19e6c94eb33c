"""What `anbu doctor` reads of the configs, and its findings as sentences."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from hub.shared.findings import Finding, bad, note
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import Mistake, Noted, Problem, SettingsError

T = TypeVar("T")


class LinkConfig(Struct, frozen=True):
    """`[mqtt]` of a hub's config, as far as it is examined."""

    brokers: tuple[str, ...] = ()
    ca: str = ""
    cert: str = ""
    key: str = ""
    protocol: str = "5"


class HubConfig(Struct, frozen=True):
    """A hub's config, as far as it is examined; read by the hub's own reader."""

    hub: str = ""
    state_dir: str = "/var/lib/anbu"
    run_dir: str = "/run/anbu"
    mqtt: LinkConfig = LinkConfig()
    voice: str = ""  # the socket to which the voice connects
    triggers: dict[str, bool] = {}  # wired help button or cord -> whether it rests closed
    radio: str = ""  # the socket to which the radio connects
    enrolled: bool = False  # its certificate is the identity's in `state_dir`
    county: str = ""  # the county's file


class VoiceConfig(Struct, frozen=True):
    """The voice's config, as far as it is examined; read by the voice's own reader."""

    socket: str = "/run/anbu/voice.sock"
    models: str = ""


class RadioConfig(Struct, frozen=True):
    """The radio's config, as far as it is examined; read by the radio's own reader."""

    socket: str = "/run/anbu/radio.sock"
    state_dir: str = "/var/lib/anbu"
    adapters: tuple[str, ...] = ()  # those that it names, by name or address


class Readers(Struct, frozen=True):
    """The readers of hub, voice and radio themselves, so that the doctor refuses what they refuse.

    They raise `SettingsError`, `OSError`, and `ImportError` where their packages are missing.
    """

    hub: Callable[[Path, Noted], HubConfig]
    voice: Callable[[Path, Noted], VoiceConfig]
    tell: Callable[[Mistake, Language], str]
    wireless: Callable[[Path], dict[str, tuple[str, str]]]  # address -> (name, kind)
    radio: Callable[[Path, Noted], RadioConfig]


def reading(
    check: str, config: Path, read: Callable[[Path, Noted], T], readers: Readers
) -> tuple[T | None, list[Finding]]:
    """Return a config, None where it cannot be read, and the findings about it."""
    notes: list[Mistake] = []
    try:
        found = read(config, notes.append)
    except SettingsError as error:
        return None, [*told(check, error.mistakes, readers), *told(check, notes, readers)]
    except OSError as error:
        return None, [bad(check, "unreadable", file=config, error=error.strerror)]
    except ImportError as error:
        return None, [bad(check, "unreadable", file=config, error=error)]
    return found, [*told(check, notes, readers)]


def told(check: str, mistakes: Iterable[Mistake], readers: Readers) -> Iterator[Finding]:
    """Yield a finding for each mistake in a file."""
    for mistake in mistakes:
        said = {str(language): readers.tell(mistake, language) for language in Language}
        is_note = mistake.problem is Problem.CODEPAGE
        yield note(check, "codepage", **said) if is_note else bad(check, "mistake", **said)


def tell(finding: Finding) -> dict[str, str]:
    """Return the sentence of a finding in each language."""
    key = f"{finding.check}_{finding.code}"
    return {language: _words(language)[key].format(**finding.values) for language in Language}


@cache
def _words(language: Language) -> dict[str, str]:
    """Return all sentences; those on an installed hub are in a file of their own."""
    tables = (messages("provisioning", language, name)["doctor"] for name in ("", "doctor"))
    return {key: sentence for table in tables for key, sentence in table.items()}
