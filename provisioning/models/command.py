"""`anbu models fetch` and `check`: the voice's models from their makers, each file checked by hash.

Whether the makers still serve these files is not proven: see `provisioning/models.toml`. A file
with another hash is refused and named, and never installed. Exit codes: 0; 1 (something is still
missing or damaged); 2 (wrong arguments).
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from hub.shared.findings import MARKS, Finding, Verdict
from hub.shared.messages import ours, sentence, usual_language
from hub.shared.models import usual_folder
from provisioning.findings import tell
from provisioning.models.catalog import Catalog, examine, shipped

USAGE_ERROR = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu models`."""
    about = ours("provisioning")["models"]
    commands = parser.add_subparsers(
        dest="what", required=True, metavar="COMMAND", help=about["command"]
    )
    for name in ("fetch", "check"):
        command = commands.add_parser(name, help=about[name])
        command.add_argument("model", nargs="*", metavar="MODEL", help=about["model"])
        command.add_argument("--dir", type=Path, metavar="DIR", help=about["dir"])
        command.add_argument("--json", action="store_true", help=about["json"])
        if name == "fetch":
            command.add_argument("--from", dest="mirror", metavar="URL", help=about["from"])


def run(args: Namespace, catalog: Catalog | None = None) -> int:
    """Fetch or check, and print the findings."""
    known = shipped() if catalog is None else catalog
    strange = [name for name in args.model if name not in known]
    if strange:
        return _misunderstood("unknown", name=strange[0], names=", ".join(known))
    chosen = {name: model for name, model in known.items() if name in (args.model or known)}
    folder = args.dir or usual_folder()
    if args.what == "check":
        found = (examine(name, model, folder) for name, model in chosen.items())
        return _tell_all(found, as_json=args.json)
    from provisioning.models.download import is_plain, permitted  # noqa: PLC0415 - loads requests

    if args.mirror and not permitted(args.mirror, plain=is_plain(args.mirror)):
        return _misunderstood("insecure", url=args.mirror)
    return _tell_all(_fetch(chosen, folder, args.mirror or ""), as_json=args.json)


def _fetch(chosen: Catalog, folder: Path, mirror: str) -> Iterator[Finding]:
    from provisioning.models.install import Installer, Progress  # noqa: PLC0415 - loads requests

    with closing(Installer(folder, mirror, Progress(sys.stderr))) as installer:
        for name, model in chosen.items():
            yield installer.install(name, model)


def _tell_all(findings: Iterator[Finding], *, as_json: bool) -> int:
    found = []
    for finding in findings:
        found.append(finding)
        if not as_json:
            _say(f"{MARKS[finding.verdict]} {tell(finding)[usual_language()]}")
    if as_json:
        told = [msgspec.to_builtins(finding) | tell(finding) for finding in found]
        _say(json.dumps(told, ensure_ascii=False))
    return int(any(finding.verdict is Verdict.BAD for finding in found))


def _misunderstood(key: str, **values: object) -> int:
    sys.stderr.write(sentence("provisioning", "models", key, **values) + "\n")
    return USAGE_ERROR


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
