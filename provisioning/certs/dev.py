"""`anbu dev-certs DIR`: keep a folder of development certificates complete and valid.

DIR/ca.crt ca.key   broker.crt broker.key   center.crt center.key   hubs/<id>.crt hubs/<id>.key
"""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from hub.shared.files import write_whole
from hub.shared.messages import ours, sentence
from provisioning.certs.authority import (
    Pair,
    authority,
    common_name,
    hosts_of,
    is_issued_by,
    issue,
    load,
)

BROKER_HOSTS = ("localhost", "127.0.0.1", "::1", "10.0.2.100")  # the last: this host, from QEMU
RENEW_BEFORE = timedelta(days=30)
HUB_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
RESERVED = {"center"}  # the centre's user at the broker


class Outcome(StrEnum):
    """What became of a certificate."""

    KEPT = "kept"
    MADE = "made"
    RENEWED = "renewed"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu dev-certs`."""
    about = ours("provisioning")["dev_certs"]
    parser.add_argument("dir", type=Path, metavar="DIR", help=about["dir"])
    parser.add_argument(
        "--hub", action="append", default=[], type=hub_id, metavar="ID", help=about["hub"]
    )


def run(args: Namespace) -> int:
    """Make the certificates and print one line for each; return 1 when DIR cannot be written."""
    try:
        for name, outcome in ensure(args.dir, args.hub):
            sys.stdout.write(f"{name}: {ours('provisioning')['dev_certs'][outcome]}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    return 0


def hub_id(text: str) -> str:
    """Return `text` if it can be a hub's id, in a topic and in a file's name."""
    if text in RESERVED or not HUB_ID.fullmatch(text):
        raise ArgumentTypeError(sentence("provisioning", "dev_certs", "no_id", text=text))
    return text


def ensure(folder: Path, hubs: Iterable[str] = ()) -> Iterator[tuple[str, Outcome]]:
    """Make certificates that are missing or about to expire; keep good ones and all known hubs.

    Raises `OSError` when the folder cannot be written.
    """
    (folder / "hubs").mkdir(parents=True, exist_ok=True)
    parent = read(folder, "ca")
    if parent is None or _ends_soon(parent):
        parent = authority()
        write(folder, "ca", parent)
        yield "ca", Outcome.MADE
    known = {file.stem for file in (folder / "hubs").glob("*.crt")}
    yield "broker", _leaf(folder, "broker", parent, BROKER_HOSTS)
    yield "center", _leaf(folder, "center", parent)
    for hub in sorted(known | set(hubs)):
        yield hub, _leaf(folder, f"hubs/{hub}", parent)


def read(folder: Path, name: str) -> Pair | None:
    """Return the pair `name` of the folder, None when it is missing or damaged."""
    try:
        certificate = (folder / f"{name}.crt").read_bytes()
        return load(certificate, (folder / f"{name}.key").read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def write(folder: Path, name: str, pair: Pair) -> None:
    """Write the pair into the folder: the key first, readable only by its owner."""
    write_whole(folder / f"{name}.key", pair.key_pem(), 0o600)
    write_whole(folder / f"{name}.crt", pair.certificate_pem(), 0o644)


def _leaf(folder: Path, name: str, parent: Pair, hosts: tuple[str, ...] = ()) -> Outcome:
    old, common = read(folder, name), name.rpartition("/")[2]
    if old and _is_good(old, common, parent, hosts):
        return Outcome.KEPT
    write(folder, name, issue(parent, common, hosts=hosts))
    return Outcome.RENEWED if old else Outcome.MADE


def _is_good(pair: Pair, common: str, parent: Pair, hosts: tuple[str, ...]) -> bool:
    return (
        not _ends_soon(pair)
        and pair.certificate.not_valid_before_utc <= datetime.now(UTC)
        and common_name(pair.certificate) == common
        and hosts_of(pair.certificate) == set(hosts)
        and is_issued_by(pair.certificate, parent.certificate)
    )


def _ends_soon(pair: Pair) -> bool:
    return pair.certificate.not_valid_after_utc < datetime.now(UTC) + RENEW_BEFORE
