"""The settings that `anbu doctor` checks, and the sentences of its findings.

The sentences are in `provisioning/messages/`.
"""

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
    """The part of `[mqtt]` in a hub's config that is examined."""

    brokers: tuple[str, ...] = ()
    ca: str = ""
    cert: str = ""
    key: str = ""
    protocol: str = "5"


class HubSettings(Struct, frozen=True):
    """The part of a hub's config that is examined. The hub's own code reads it."""

    hub: str = ""
    state_dir: str = "/var/lib/anbu"
    run_dir: str = "/run/anbu"
    mqtt: Link = Link()
    voice: str = ""  # the unix socket on which it listens for the voice
    triggers: dict[str, bool] = {}  # each wired help button and cord: is it normally closed


class VoiceSettings(Struct, frozen=True):
    """The part of the voice's config that is examined. The voice's own code reads it."""

    socket: str = "/run/anbu/voice.sock"
    models: str = ""


class Readers(Struct, frozen=True):
    """The functions that read the configs: the hub's and the voice's own, so that nothing differs.

    They raise `SettingsError`, `OSError`, and `ImportError` where packages are missing.
    """

    hub: Callable[[Path, Noted], HubSettings]
    voice: Callable[[Path, Noted], VoiceSettings]
    tell: Callable[[Mistake, Language], str]


def reading(
    check: str, config: Path, read: Callable[[Path, Noted], T], readers: Readers
) -> tuple[T | None, list[Finding]]:
    """Read a config; return it, or None where it cannot be read, and the findings on it."""
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
    """Return the sentence of a finding in each language."""
    key = f"{finding.check}_{finding.code}"
    return {
        language: messages("provisioning", language)["doctor"][key].format(**finding.values)
        for language in Language
    }
