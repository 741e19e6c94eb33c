"""What `anbu doctor` reads of the configs; its findings in words (`provisioning/messages/`)."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from hub.shared.findings import Finding, bad, note
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import Mistake, Noted, Problem, SettingsError

T = TypeVar("T")


class Link(Struct, frozen=True):
    """`[mqtt]` of a hub's config, as far as it is examined."""

    brokers: tuple[str, ...] = ()
    ca: str = ""
    cert: str = ""
    key: str = ""
    protocol: str = "5"


class Patient(Struct, frozen=True):
    """A hub's config, as far as it is examined; read by the hub's own reader."""

    hub: str = ""
    state_dir: str = "/var/lib/anbu"
    run_dir: str = "/run/anbu"
    mqtt: Link = Link()
    voice: str = ""  # the socket at which it awaits the voice
    triggers: dict[str, bool] = {}  # of each wired help button and cord: whether it rests closed


class Voice(Struct, frozen=True):
    """The voice's config, as far as it is examined; read by the voice's own reader."""

    socket: str = "/run/anbu/voice.sock"
    models: str = ""


class Readers(Struct, frozen=True):
    """The readers of hub and voice themselves, so that nobody passes what they refuse.

    They raise `SettingsError`, `OSError`, and `ImportError` where their packages are missing.
    """

    hub: Callable[[Path, Noted], Patient]
    voice: Callable[[Path, Noted], Voice]
    tell: Callable[[Mistake, Language], str]


def reading(
    check: str, config: Path, read: Callable[[Path, Noted], T], readers: Readers
) -> tuple[T | None, list[Finding]]:
    """Give a config, if it can be read, and all that there is to say of it."""
    notes: list[Mistake] = []
    try:
        found = read(config, notes.append)
    except SettingsError as error:
        return None, [*_told(check, error.mistakes, readers), *_told(check, notes, readers)]
    except OSError as error:
        return None, [bad(check, "unreadable", file=config, error=error.strerror)]
    except ImportError as error:
        return None, [bad(check, "unreadable", file=config, error=error)]
    return found, [*_told(check, notes, readers)]


def _told(check: str, mistakes: Iterable[Mistake], readers: Readers) -> Iterator[Finding]:
    for mistake in mistakes:
        said = {str(language): readers.tell(mistake, language) for language in Language}
        is_note = mistake.problem is Problem.CODEPAGE
        yield note(check, "codepage", **said) if is_note else bad(check, "mistake", **said)


def tell(finding: Finding) -> dict[str, str]:
    """Say a finding in each language."""
    key = f"{finding.check}_{finding.code}"
    return {
        language: messages("provisioning", language)["doctor"][key].format(**finding.values)
        for language in Language
    }
