"""`anbu broker-config DIR CERTS`: writes the Mosquitto configuration from `center/broker/`.

The demo, the tests, the benches and a real centre all use it. It runs before each start of the
broker (`systemd/anbu-broker.service`): a `mosquitto.db` with which Mosquitto does not start is put
aside, because no message of a hub or the centre depends on it.

DIR/mosquitto.conf acl crl.pem admin.secret admin.password mosquitto/{mosquitto.db,pid,admin.socket}
"""

import getpass
import hashlib
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from hub.contract import addresses
from hub.contract.addresses import FlawError
from hub.contract.forms import LONGEST_SOCKET
from hub.contract.wire import MAX_BYTES
from hub.shared.files import shipped_file, write_whole
from hub.shared.messages import ours, sentence
from provisioning.broker import revocation

HEADER_BYTES = 1024  # an MQTT 5 PUBLISH's topic and properties beside its payload
SALT_BYTES, ROUNDS = 12, 101  # Mosquitto's own; the secret has 256 bits, so few rounds will do
KEPT = 2  # damaged files that are kept for inspection
TEMPLATES = shipped_file("center", "broker")
ACL, CRL, PID = "acl", "crl.pem", "mosquitto/pid"
ADMIN, SECRET, PASSWORD = "admin", "admin.secret", "admin.password"
ADMIN_SOCKET = "mosquitto/admin.socket"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu broker-config`."""
    about = ours("provisioning")["broker"]
    parser.add_argument("dir", type=Path, metavar="DIR", help=about["dir"])
    parser.add_argument("certs", type=Path, metavar="CERTS", help=about["certs"])
    parser.add_argument("--port", type=_port, default=8883, help=about["port"])
    parser.add_argument("--revoked", type=Path, metavar="REVOKED", help=about["revoked"])
    parser.add_argument("--bind", default="127.0.0.1", type=_host, help=about["bind"])


def run(args: Namespace) -> int:
    """Write the configuration, make sure that the broker can start, and print the file's path."""
    try:
        path = write_config(args.dir, args.certs, args.port, bind=args.bind, revoked=args.revoked)
        aside = mend(path.parent / "mosquitto")
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    if aside:
        sys.stderr.write(sentence("provisioning", "broker", "set_aside", path=aside) + "\n")
    sys.stdout.write(f"{path}\n")
    return 0


def _port(text: str) -> int:
    try:
        return addresses.listen(f"localhost:{text}")[1]
    except FlawError:
        raise ArgumentTypeError(sentence("provisioning", "broker", "no_port", text=text)) from None


def _host(text: str) -> str:
    """Return the address to bind; Mosquitto expects IPv6 addresses without brackets."""
    try:
        return addresses.listen(f"[{text}]:1" if ":" in text else f"{text}:1")[0]
    except FlawError:
        raise ArgumentTypeError(sentence("provisioning", "broker", "no_host", text=text)) from None


def write_config(
    run_dir: Path,
    certs_dir: Path | None,
    port: int,
    *,
    bind: str = "127.0.0.1",
    revoked: Path | None = None,
) -> Path:
    """Write `run_dir/mosquitto.conf`, make `run_dir/mosquitto/` for its state; return the file.

    `revoked` is the folder in which the centre writes who is struck off (`revocation`). Without
    `certs_dir` the broker accepts plain TCP from anyone: only for benches on loopback.
    """
    run_dir, state = run_dir.resolve(), run_dir.resolve() / "mosquitto"
    state.mkdir(parents=True, exist_ok=True)
    if certs_dir is None:
        security = "allow_anonymous true"
    else:
        security = _security(run_dir, certs_dir.resolve(), revoked)
    text = _fill(
        "mosquitto.conf.in",
        USER=getpass.getuser(),  # Mosquitto changes its user only when root starts it
        STATE=state,
        PORT=port,
        BIND=bind,
        PID=run_dir / PID,
        MAX_PACKET=MAX_BYTES + HEADER_BYTES,
        ADMIN=_admin(run_dir) if certs_dir else "",
        SECURITY=security,
    )
    path = run_dir / "mosquitto.conf"
    path.write_text(text, encoding="utf-8")
    return path


def _security(run_dir: Path, certs: Path, revoked: Path | None) -> str:
    """Write the rules, the list and the password of this machine's own user; return the lines."""
    rules = revocation.rules(revoked)
    write_whole(run_dir / ACL, rules.encode(), 0o640)
    usable = revocation.list_of(revoked, certs, datetime.now(UTC))
    if usable is None:
        (run_dir / CRL).unlink(missing_ok=True)
    else:
        write_whole(run_dir / CRL, usable, 0o640)
    digest = revocation.digest_of(rules, usable)  # of a broker that starts no session stands
    revocation.note(run_dir, revocation.Taken(digest, frozenset(revocation.denied(revoked))))
    return _fill(
        "security.conf.in",
        CERTS=certs,
        ACL=run_dir / ACL,
        CRL="" if usable is None else f"crlfile {run_dir / CRL}",
    )


def _admin(run_dir: Path) -> str:
    """Write the password of this machine's own user; return the lines of its listener.

    There are none where the socket's path is too long.
    """
    if len(bytes(run_dir / ADMIN_SOCKET)) > LONGEST_SOCKET:
        return ""
    secret = secrets.token_hex(32)
    write_whole(run_dir / SECRET, secret.encode(), 0o600)
    salt = secrets.token_bytes(SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ROUNDS)
    parts = (b64encode(part).decode("ascii") for part in (salt, hashed))
    write_whole(run_dir / PASSWORD, f"{ADMIN}:$7${ROUNDS}${'$'.join(parts)}\n".encode(), 0o600)
    return _fill("admin.conf.in", SOCKET=run_dir / ADMIN_SOCKET, PASSWORD=run_dir / PASSWORD)


def mend(state: Path) -> Path | None:
    """Put aside a `mosquitto.db` with which Mosquitto does not start; return its new path.

    After a power cut the file may be all zeros. Only Mosquitto knows whether it is good, so
    Mosquitto is started with it; if it does not start without the file either, nothing is changed.
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
    """Whether Mosquitto starts with the files in `state`; nothing is written there."""
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
                trial.kill()  # it would write its file if it were asked to end


def program() -> str:
    """Return the path of Mosquitto; Debian's is not in a normal user's PATH."""
    return shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def _fill(template: str, **values: object) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), text)
