"""`anbu doctor`: what works here and what does not; exit code 0 or 1.

A config is read by the hub's own reader, so that the doctor accepts what the hub accepts.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from hub.shared.findings import MARKS, Finding, Verdict, bad, good, note
from hub.shared.messages import ours, usual_language
from provisioning.certs import inspect
from provisioning.doctor import (
    bluetooth,
    broker,
    identity,
    machine,
    network,
    running,
    upkeep,
    voice,
)  # fmt: skip
from provisioning.findings import HubConfig, Readers, reading, tell

USUAL = Path("/etc/anbu/hub.toml")
SECTIONS = {  # first word of a check -> its heading; others are of the machine
    "county": "registration", "provision": "registration", "identity": "registration",
    "board": "registration", "certificate": "registration",
    "network": "network", "wifi": "network", "center": "network", "time": "network",
    "broker": "network",
    "hub": "hub",
    "firstboot": "upkeep", "watchdog": "upkeep", "updates": "upkeep", "restart": "upkeep",
    "wiping": "upkeep",
    "wiring": "wiring", "bluetooth": "wireless", "radio": "wireless",
    "voice": "voice", "model": "voice", "microphone": "voice",
}  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu doctor`."""
    about = ours("provisioning")["examine"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    parser.add_argument("--voice-config", type=Path, metavar="FILE", help=about["voice_config"])
    parser.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Examine and print; return 1 when something must be repaired."""
    findings: list[Finding] = []
    section = ""
    config = args.config or (USUAL if USUAL.exists() else None)
    loads = (args.load_hub, args.load_voice, args.tell, args.load_wireless, args.load_radio)
    readers = Readers(*loads)
    for finding in examine(config, args.voice_config, readers):
        findings.append(finding)
        if not args.json:
            section = _begin(section_of(finding), section)
            said = [
                tell(finding)[usual_language()],
                *finding.values.get("lines", "").splitlines(),
            ]
            _say(f"{MARKS[finding.verdict]} " + "\n  ".join(said))
    if args.json:
        told = [msgspec.to_builtins(finding) | tell(finding) for finding in findings]
        _say(json.dumps(told, ensure_ascii=False))
    else:
        _say(f"\n{_summary(findings)}")
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def section_of(finding: Finding) -> str:
    """Return under which heading a finding stands: a key of the messages' `[section]`."""
    return SECTIONS.get(finding.check.partition("_")[0], "machine")


def _begin(section: str, before: str) -> str:
    if section != before:
        _say(f"\n{ours('provisioning', 'doctor')['section'][section]}")
    return section


def _summary(findings: list[Finding]) -> str:
    counts = Counter(finding.verdict for finding in findings)
    n_bad, n_notes = counts[Verdict.BAD], counts[Verdict.NOTE]
    said = ours("provisioning", "doctor")["summary"]["ill" if n_bad else "well"]
    return said.format(bad=n_bad, notes=n_notes)


def examine(config: Path | None, voice_config: Path | None, readers: Readers) -> Iterator[Finding]:
    """Yield the findings one by one, as they are made."""
    found, unit = None, running.unit()
    if config is None and unit.config:
        yield bad("config", "gone", file=unit.config)
    elif config is None:
        yield note("config", "none")
    else:
        found, said = reading("config", config, readers.hub, readers)
        yield from said
    hub = found or HubConfig(state_dir=".")
    yield from machine.examine(Path(hub.state_dir))
    if config and hub.enrolled:
        yield from installed(hub, config, readers)
    elif hub.hub:
        yield from inspect.examine(hub)
    seen = running.look(hub) if found else running.Running(may=False)
    if config and found:
        yield from connected(hub, seen, config, unit)
    if config and hub.enrolled:
        yield from upkeep.examine()
    yield from wiring(hub)
    if config:
        yield from beside(hub, config, voice_config, readers, seen)


def beside(
    hub: HubConfig, config: Path, given: Path | None, readers: Readers, seen: running.Running
) -> Iterator[Finding]:
    """Yield the findings on radio and voice. `given`: the voice's config, where one was named.

    A hub that runs without their sockets was started before they were in its settings.
    """
    found: list[Iterator[Finding]] = []
    if hub.hub or hub.enrolled:
        found.append(bluetooth.examine(hub, voice.config_of(config, None, "radio.toml"), readers))
    if hub.voice:
        found.append(voice.examine(hub.voice, voice.config_of(config, given), readers))
    for one in chain.from_iterable(found):
        is_deaf = seen.word is not None and one.code == "deaf"
        yield bad(one.check, "closed", **one.values) if is_deaf else one


def installed(hub: HubConfig, config: Path, readers: Readers) -> Iterator[Finding]:
    """Yield what holds of a hub that registers by digits: its identity, its way to the centre.

    The certificate of another is named in its settings; who put it up knows its network.
    """
    county, said = identity.county(hub, readers)
    yield from said
    yield from identity.examine(hub, readers, config, identity.Board())
    yield from network.examine(county)
    yield upkeep.time_source()


def connected(
    hub: HubConfig, seen: running.Running, config: Path, unit: running.Unit
) -> Iterator[Finding]:
    """Yield whether the brokers answer, and how the hub does that runs here, or is meant to."""
    if hub.hub:
        ours = not hub.enrolled or identity.is_ours(hub)
        yield from broker.examine(hub, ours=ours, running=seen)
    yield from running.examine(hub, config, seen, unit)


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
