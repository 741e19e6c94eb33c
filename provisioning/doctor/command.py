"""`anbu doctor`: what works here and what does not; exit code 0 or 1.

A config is read by the hub's own reader, so that the doctor accepts what the hub accepts.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.shared.findings import MARKS, Finding, Verdict, good, note
from hub.shared.messages import ours, usual_language
from provisioning.certs import inspect
from provisioning.doctor import bluetooth, broker, machine, voice
from provisioning.findings import HubConfig, Readers, reading, tell


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu doctor`."""
    about = ours("provisioning")["examine"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    parser.add_argument("--voice-config", type=Path, metavar="FILE", help=about["voice_config"])
    parser.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Examine and print; return 1 when something must be repaired."""
    findings = []
    loads = (args.load_hub, args.load_voice, args.tell, args.load_wireless, args.load_radio)
    readers = Readers(*loads)
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
    """Yield the findings one by one, as they are made."""
    found = None
    if config is None:
        yield note("config", "none")
    else:
        found, said = reading("config", config, readers.hub, readers)
        yield from said
    hub = found or HubConfig(state_dir=".")
    yield from machine.examine(Path(hub.state_dir))
    if hub.hub:
        yield from inspect.examine(hub)
        yield from broker.examine(hub)
    yield from wiring(hub)
    if config and hub.hub:
        yield from bluetooth.examine(hub, voice.config_of(config, None, "radio.toml"), readers)
    if config and hub.voice:
        yield from voice.examine(hub.voice, voice.config_of(config, voice_config), readers)


def wiring(config: HubConfig) -> Iterator[Finding]:
    """Yield the help buttons and cords whose cut wire nobody would notice.

    A normally open one with a cut wire looks like one that nobody presses. With
    `wiring = "normally_closed"` the same cut is a call, and a fault after a minute (decision 0031).
    """
    silent = [name for name, closed in config.triggers.items() if not closed]
    if silent:
        yield note("wiring", "silent", names=", ".join(silent))
    elif config.triggers:
        yield good("wiring")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
