"""`anbu broker-config DIR CERTS`: the Mosquitto configuration of `center/broker/`, made concrete.

The demo, the tests, the benches and a real centre all take it from here. It is to be run before
each start of the broker (`systemd/anbu-broker.service`): a `mosquitto.db` with which Mosquitto
does not start is set aside, for nothing that a hub or the centre is owed hangs on it.
"""

import getpass
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from hub.contract import addresses
from hub.contract.addresses import FlawError
from hub.contract.wire import MAX_BYTES
from hub.shared.messages import ours, sentence

HEADER_BYTES = 1024  # an MQTT 5 PUBLISH's topic and properties beside its payload
KEPT = 2  # damaged files, for whoever looks into it
TEMPLATES = Path(__file__).resolve().parent.parent / "center" / "broker"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu broker-config`."""
    about = ours("broker")
    parser.add_argument("dir", type=Path, metavar="DIR", help=about["dir"])
    parser.add_argument("certs", type=Path, metavar="CERTS", help=about["certs"])
    parser.add_argument("--port", type=_port, default=8883, help=about["port"])
    parser.add_argument("--bind", default="127.0.0.1", type=_host, help=about["bind"])


def run(args: Namespace) -> int:
    """Write the configuration, see that the broker can start, and print the file's path."""
    try:
        path = write_config(args.dir, args.certs, args.port, bind=args.bind)
        aside = mend(path.parent / "mosquitto")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    if aside:
        sys.stderr.write(sentence("broker", "set_aside", path=aside) + "\n")
    sys.stdout.write(f"{path}\n")
    return 0


def _port(text: str) -> int:
    try:
        return addresses.listen(f"localhost:{text}")[1]
    except FlawError:
        raise ArgumentTypeError(sentence("broker", "no_port", text=text)) from None


def _host(text: str) -> str:
    """Give an address to bind; Mosquitto takes an IPv6 one without brackets."""
    try:
        return addresses.listen(f"[{text}]:1" if ":" in text else f"{text}:1")[0]
    except FlawError:
        raise ArgumentTypeError(sentence("broker", "no_host", text=text)) from None


def write_config(
    run_dir: Path, certs_dir: Path | None, port: int, *, bind: str = "127.0.0.1"
) -> Path:
    """Write `run_dir/mosquitto.conf`, and `run_dir/mosquitto/` for its state; give the file.

    Without `certs_dir` the broker takes plain TCP from anyone: on loopback, for floors in benches.
    """
    run_dir, state = run_dir.resolve(), run_dir.resolve() / "mosquitto"
    state.mkdir(parents=True, exist_ok=True)
    if certs_dir is None:
        security = "allow_anonymous true"
    else:
        acl = TEMPLATES / "acl"
        security = _fill("security.conf.in", CERTS=certs_dir.resolve(), ACL=acl)
    text = _fill(
        "mosquitto.conf.in",
        USER=getpass.getuser(),  # only root may change it; whoever starts it stays who they are
        STATE=state,
        PORT=port,
        BIND=bind,
        MAX_PACKET=MAX_BYTES + HEADER_BYTES,
        SECURITY=security,
    )
    path = run_dir / "mosquitto.conf"
    path.write_text(text, encoding="utf-8")
    return path


def mend(state: Path) -> Path | None:
    """Set aside a `mosquitto.db` with which Mosquitto does not start; give where it is kept.

    After a power cut it may be all zeros. Whether it is good only Mosquitto can tell, so it is
    tried; where it does not start without the file either, the file is not to blame.
    """
    database = state / "mosquitto.db"
    if not database.exists() or _starts(state):
        return None
    with tempfile.TemporaryDirectory(prefix="anbu-") as empty:
        if not _starts(Path(empty)):
            return None
    old = sorted(state.glob("mosquitto.db.damaged-*"))
    for one in old[: max(0, len(old) - KEPT + 1)]:
        one.unlink()
    return database.rename(database.with_name(f"{database.name}.damaged-{time.time_ns():020d}"))


def _starts(state: Path) -> bool:
    """Tell whether Mosquitto comes up with what `state` holds; nothing is written there."""
    with tempfile.TemporaryDirectory(prefix="anbu-") as folder:
        config = Path(folder) / "trial.conf"
        text = _fill(
            "trial.conf.in", USER=getpass.getuser(), STATE=state, SOCKET=f"{folder}/socket"
        )
        config.write_text(text, encoding="utf-8")
        trial = subprocess.Popen(  # noqa: S603 - the broker itself
            (program(), "-c", config), stderr=subprocess.PIPE, text=True
        )
        with trial:
            try:
                said = trial.stderr or ()
                return any(line.rstrip().endswith(" running") for line in said)
            finally:
                trial.kill()  # told to end, it would write


def program() -> str:
    """Give the path of Mosquitto, which Debian keeps where a plain user's PATH does not look."""
    return shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def _fill(template: str, **values: object) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), text)
