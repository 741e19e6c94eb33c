"""`anbu doctor`: what works here and what does not, in Korean and English; exit code 0 or 1."""

import json
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from provisioning import dial, machine, papers, speech, wiring
from provisioning.findings import Finding, Patient, Verdict, bad, note
from provisioning.texts import LANGUAGES, words

MARKS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.BAD: "✗"}


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu doctor`."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="a hub's config, to try it")
    parser.add_argument("--voice-config", type=Path, metavar="FILE", help="its voice's config")
    parser.add_argument("--json", action="store_true", help="one JSON array, for programs")


def run(args: Namespace) -> int:
    """Examine and print; 1 when something must be mended."""
    findings = []
    for finding in examine(args.config, args.voice_config):
        findings.append(finding)
        if not args.json:
            said = [*tell(finding).values(), *finding.values.get("lines", "").splitlines()]
            _say(f"{MARKS[finding.verdict]} " + "\n  ".join(said))
    if args.json:
        told = [msgspec.to_builtins(finding) | tell(finding) for finding in findings]
        _say(json.dumps(told, ensure_ascii=False))
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def examine(config: Path | None, voice_config: Path | None = None) -> Iterator[Finding]:
    """Give the findings one by one, as they are made."""
    patient, box = Patient(state_dir="."), None
    wires: tuple[Finding, ...] = ()
    if config is None:
        yield note("config", "none")
    else:
        try:
            patient, box = read(config), speech.voicebox(config)
            wires = tuple(wiring.examine(config))
        except (OSError, ValueError) as error:
            yield bad("config", "unreadable", file=config, error=error)
    yield from machine.examine(Path(patient.state_dir))
    if patient.hub:
        yield from papers.examine(patient)
        yield from dial.examine(patient)
    yield from wires
    if config and box:
        yield from speech.examine(box, speech.config_of(config, voice_config))


def read(config: Path) -> Patient:
    """Read as much of a hub's config as is examined; its paths start at its own folder.

    Raises `OSError`, or `ValueError` for what is no config.
    """
    tables = tomllib.loads(config.read_text(encoding="utf-8"))
    patient = msgspec.convert(tables, Patient)
    folder = config.resolve().parent

    def path(name: str) -> str:
        return str(folder / name) if name else ""

    link = patient.mqtt
    link = replace(link, ca=path(link.ca), cert=path(link.cert), key=path(link.key))
    own = {"state_dir": path(patient.state_dir), "run_dir": path(patient.run_dir)}
    return replace(patient, mqtt=link, **own)


def tell(finding: Finding) -> dict[str, str]:
    """Say a finding in each language."""
    key = f"{finding.check}_{finding.code}"
    return {
        language: words("doctor", language)[key].format(**finding.values) for language in LANGUAGES
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
