"""`anbu broker-reload DIR CERTS REVOKED`: the running broker takes up what the centre has written.

A hub that was struck off is denied by the rules, refused by the list, and its session ends: this
machine's own user connects under the hub's client id over a socket in the file system.
"""

import os
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from hub.shared.files import to_disk, write_whole
from hub.shared.messages import ours, sentence
from provisioning.broker import revocation
from provisioning.broker.config import ACL, ADMIN, ADMIN_SOCKET, CRL, PID, SECRET

END_S = 10.0  # for the broker to let us in, so that it ends other sessions; usually 10 ms each
AGAIN_S = 0.2


class Outcome(IntEnum):
    """What `anbu broker-reload` has done, as its exit code."""

    DONE = 0
    FAILED = 1
    RESTART = 3  # Mosquitto has to be started again: a list came, or may not be used any more


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu broker-reload`."""
    about = ours("provisioning")["broker"]
    parser.add_argument("dir", type=Path, metavar="DIR", help=about["dir"])
    parser.add_argument("certs", type=Path, metavar="CERTS", help=about["certs"])
    parser.add_argument("revoked", type=Path, metavar="REVOKED", help=about["revoked"])


def run(args: Namespace) -> int:
    """Let the running broker take up what the centre has written; return an `Outcome`."""
    try:
        outcome, ended = reload(args.dir, args.certs, args.revoked, datetime.now(UTC))
    except OSError as error:
        sys.stderr.write(f"{error.filename or args.dir}: {error.strerror or error}\n")
        return Outcome.FAILED
    for hub, is_ended in ended.items():
        word = "ended" if is_ended else "not_ended"
        sys.stdout.write(sentence("provisioning", "broker", word, hub=hub) + "\n")
    if outcome is Outcome.RESTART:
        sys.stdout.write(sentence("provisioning", "broker", "restart") + "\n")
    return outcome if all(ended.values()) else Outcome.FAILED


def reload(
    run_dir: Path, certs: Path, revoked: Path, now: datetime
) -> tuple[Outcome, dict[str, bool]]:
    """Write rules and list, have Mosquitto read them, and end the sessions of denied hubs.

    What was done before is not done again; what failed, or was cut off, is. Returns the hubs whose
    sessions had to end, and whether they have. Raises `OSError`.
    """
    rules, usable = revocation.rules(revoked), revocation.list_of(revoked, certs, now)
    has_list = (run_dir / CRL).exists()
    outcome = Outcome.DONE if has_list == (usable is not None) else Outcome.RESTART
    before, denied = revocation.taken(run_dir), frozenset(revocation.denied(revoked))
    digest = revocation.digest_of(rules, usable)
    if before == revocation.Taken(digest, denied):
        return outcome, {}
    if before.digest != digest:
        write_whole(run_dir / ACL, rules.encode(), 0o640)
        if usable is not None and has_list:
            write_whole(run_dir / CRL, usable, 0o640)
        to_disk(run_dir)
        os.kill(int((run_dir / PID).read_text(encoding="ascii")), signal.SIGHUP)
    deadline = time.monotonic() + END_S
    found = {hub: end_session(run_dir, hub, deadline) for hub in sorted(denied - before.ended)}
    ended = {hub for hub, is_ended in found.items() if is_ended}
    revocation.note(run_dir, revocation.Taken(digest, (before.ended & denied) | ended))
    return outcome, found


def end_session(run_dir: Path, hub: str, deadline: float) -> bool:
    """End a hub's session: connect by its client id, which only this machine's user may choose.

    It is tried again until `deadline` (monotonic): a broker that starts has no socket yet. Returns
    whether the broker has let us in: then the other connection is closed, and what waited for it
    is gone.
    """
    while not _came_in(run_dir, hub, deadline):
        if time.monotonic() + AGAIN_S > deadline:
            return False
        time.sleep(AGAIN_S)
    return True


def _came_in(run_dir: Path, hub: str, deadline: float) -> bool:
    if not (run_dir / ADMIN_SOCKET).exists():
        return False
    secret = (run_dir / SECRET).read_text(encoding="ascii")
    answers: list[bool] = []
    client = Client(
        CallbackAPIVersion.VERSION2, hub, protocol=MQTTProtocolVersion.MQTTv5, transport="unix"
    )
    client.username_pw_set(ADMIN, secret)
    client.on_connect = lambda _c, _d, _f, reason, _p: answers.append(not reason.is_failure)
    try:
        client.connect(str(run_dir / ADMIN_SOCKET), clean_start=True)
        while not answers and time.monotonic() < deadline:
            if client.loop(0.1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
    except OSError:
        return False
    client.disconnect()
    return answers == [True]
