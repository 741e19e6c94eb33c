"""The command `anbu doctor`: prints what works and what does not; exits with 0 or 1.

The hub's own code reads the hub's config, so the doctor accepts exactly what the hub accepts.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.shared.findings import MARKS, Finding, Verdict, note
from hub.shared.messages import ours, usual_language
from provisioning.certs import inspect
from provisioning.doctor import broker, machine, voice, wiring
from provisioning.findings import HubSettings, Readers, reading, tell


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu doctor`."""
    about = ours("provisioning")["examine"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    parser.add_argument("--voice-config", type=Path, metavar="FILE", help=about["voice_config"])
    parser.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Examine and print the findings; return 1 when something must be mended."""
    findings = []
    readers = Readers(args.load_hub, args.load_voice, args.tell)
    for finding in examine(args.config, args.voice_config, readers):
        findings.append(finding)
        if not args.json:
            said = [
                tell(finding)[usual_language()],
                *finding.values.get("lines", "").splitlines(),
            ]
            _say(f"{MARKS[finding.verdict]} " + "\n  ".join(said))
    if args.json:
        told = [msgspec.to_builtins(finding) | tell(finding) for finding in findings]
        _say(json.dumps(told, ensure_ascii=False))
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def examine(config: Path | None, voice_config: Path | None, readers: Readers) -> Iterator[Finding]:
    """Yield the findings one by one, as soon as each is made."""
    found = None
    if config is None:
        yield note("config", "none")
    else:
        found, said = reading("config", config, readers.hub, readers)
        yield from said
    settings = found or HubSettings(state_dir=".")
    yield from machine.examine(Path(settings.state_dir))
    if settings.hub:
        yield from inspect.examine(settings)
        yield from broker.examine(settings)
    yield from wiring.examine(settings)
    if config and settings.voice:
        yield from voice.examine(settings.voice, voice.config_of(config, voice_config), readers)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
