"""`anbu broker-config DIR CERTS`: the Mosquitto configuration of `center/broker/`, made concrete.

The demo, the tests, the benches and a real centre all take it from here.
"""

import getpass
import re
import shutil
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from hub.core import addresses
from hub.core.addresses import FlawError
from hub.core.wire import MAX_BYTES
from provisioning.texts import ours, sentence

HEADER_BYTES = 1024  # an MQTT 5 PUBLISH's topic and properties beside its payload
TEMPLATES = Path(__file__).resolve().parent.parent / "center" / "broker"


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu broker-config`."""
    about = ours("broker")
    parser.add_argument("dir", type=Path, metavar="DIR", help=about["dir"])
    parser.add_argument("certs", type=Path, metavar="CERTS", help=about["certs"])
    parser.add_argument("--port", type=_port, default=8883, help=about["port"])
    parser.add_argument("--bind", default="127.0.0.1", type=_host, help=about["bind"])


def run(args: Namespace) -> int:
    """Write the configuration and print its path."""
    try:
        path = write_config(args.dir, args.certs, args.port, bind=args.bind)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
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


def program() -> str:
    """Give the path of Mosquitto, which Debian keeps where a plain user's PATH does not look."""
    return shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def _fill(template: str, **values: object) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), text)
