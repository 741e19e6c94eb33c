"""`anbu doctor`: what works here and what does not; exit code 0 or 1.

A config is read by the hub's own reader, so that what is passed here is what the hub takes.
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
from provisioning.findings import Patient, Readers, reading, tell


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu doctor`."""
    about = ours("provisioning")["examine"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    parser.add_argument("--voice-config", type=Path, metavar="FILE", help=about["voice_config"])
    parser.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Examine and print; 1 when something must be mended."""
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
    """Give the findings one by one, as they are made."""
    found = None
    if config is None:
        yield note("config", "none")
    else:
        found, said = reading("config", config, readers.hub, readers)
        yield from said
    patient = found or Patient(state_dir=".")
    yield from machine.examine(Path(patient.state_dir))
    if patient.hub:
        yield from inspect.examine(patient)
        yield from broker.examine(patient)
    yield from wiring.examine(patient)
    if config and patient.voice:
        yield from voice.examine(patient.voice, voice.config_of(config, voice_config), readers)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
