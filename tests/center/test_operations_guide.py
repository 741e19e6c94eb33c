"""The commands of docs/operations.md, run as they stand there: from zero to a restored centre.

Paths, ports and the machine's name are put into a folder of the test. `systemctl` starts what the
real units start; what needs other users (`runuser`, `chown`, `systemd-tmpfiles`) is stood in for.
"""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.contract.messages import Stage
from provisioning.broker.reload import Outcome
from provisioning.certs.authority import Pair
from provisioning.doctor.broker import reach
from provisioning.findings import LinkConfig
from tests.broker import Broker, free_port, wait_until
from tests.center.est import Hub, certificate
from tests.center.home import Home
from tests.center.making import HUB, event
from tests.layout import REPO

GUIDE = (REPO / "docs/operations.md").read_text("utf-8")
BLOCK = re.compile(r"<!-- run: (\w+) -->\n```sh\n(.*?)```", re.DOTALL)
PASSWORD = "a long first password"  # noqa: S105 - of a centre that is not there
SYSTEMCTL = """\
#!{python}
# Starts and stops what the real units do.
import os, re, signal, subprocess, sys
units = [word for word in sys.argv[2:] if word in ("anbu-broker.service", "anbu-center.service")]
for unit in units:
    pid = f"{root}/run/{{unit}}.pid"
    if sys.argv[1] == "stop":
        if os.path.exists(pid):
            os.kill(int(open(pid).read()), signal.SIGTERM)
            os.rename(pid, pid + ".ended")
        continue
    text = open(f"{systemd}/{{unit}}").read()
    for name, command in re.findall(r"^(ExecStartPre|ExecStart)=(.*)$", text, re.MULTILINE):
        command = command.replace("/usr/lib/anbu/center/bin/anbu", "{python} -m hub")
        command = command.replace("%S", "{root}/var/lib").replace("/etc/", "{root}/etc/")
        command = command.replace("--bind 0.0.0.0", "--bind 127.0.0.1 --port {broker}")
        if name == "ExecStartPre":
            subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
        else:
            log = open(f"{root}/run/{{unit}}.log", "ab")
            streams = {{"stdout": log, "stderr": log, "start_new_session": True}}
            started = subprocess.Popen(command.split(), **streams)
            open(pid, "w").write(str(started.pid))
"""


class Machine:
    """The centre's machine in a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.tools = root, root / "tools"
        self.console, self.est, self.broker = free_port(), free_port(), free_port()
        for name in ("run", "etc/cron.daily", "var/lib/anbu-center/revoked",
                     "var/lib/anbu-broker", "tools"):  # fmt: skip
            (root / name).mkdir(parents=True)
        (root / "run/anbu-first-password").write_text(PASSWORD + "\n")
        said = SYSTEMCTL.format(
            python=sys.executable, root=root, systemd=REPO / "systemd", broker=self.broker
        )
        self.tool("systemctl", said)
        self.tool("runuser", '#!/bin/sh\nshift 3\nexec "$@"\n')
        self.tool("anbu", f'#!/bin/sh\nexec {sys.executable} -m hub "$@"\n')
        self.tool("chown", "#!/bin/sh\n")
        self.tool("systemd-tmpfiles", f"#!/bin/sh\nmkdir -p {root}/var/lib/anbu-center/revoked\n")

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def run(self, block: str) -> str:
        """Run a block of the guide as root would, in a shell of its own."""
        text = dict(BLOCK.findall(GUIDE))[block]
        for place in ("/etc/", "/var/", "/run/"):
            text = re.sub(rf"(?<![\w}}]){place}", f"{self.root}{place}", text)
        text = text.replace("center.jeongseon.example:8883", f"localhost:{self.broker}")
        text = text.replace("center.jeongseon.example", "localhost")
        text = text.replace("DNS:$NAME", "DNS:$NAME,IP:127.0.0.1")
        text = text.replace(":8080", f":{self.console}").replace("0.0.0.0:8444", self.port_of_hubs)
        done = subprocess.run(
            ["/bin/sh", "-c", text], capture_output=True, text=True, check=False, timeout=120,
            cwd=REPO, env=os.environ | {"PATH": f"{self.tools}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, f"{block}: {done.stdout}{done.stderr}{self.logs()}"
        return done.stdout

    @property
    def port_of_hubs(self) -> str:
        return f"127.0.0.1:{self.est}"

    def anbu(self, *words: str) -> str:
        command = [sys.executable, "-m", "hub", "center", *words,
                   "--config", str(self.root / "etc/anbu-center/center.toml")]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def logs(self) -> str:
        return "".join(one.read_text("utf-8") for one in (self.root / "run").glob("*.log"))

    def health(self) -> dict[str, Any]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.console}/healthz")
        except httpx.TransportError:
            return {"ok": False}
        return dict(answer.json())

    def reload(self) -> None:
        """Do what anbu-broker-reload.service does."""
        folders = ("var/lib/anbu-broker", "etc/anbu-center/broker", "var/lib/anbu-center/revoked")
        places = [str(self.root / one) for one in folders]
        command = [sys.executable, "-m", "hub", "broker-reload", *places]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in {Outcome.DONE, Outcome.RESTART}, done.stderr
        if done.returncode == Outcome.RESTART:
            pid = int((self.root / "run/anbu-broker.service.pid").read_text())
            self.systemctl("stop", "anbu-broker.service")
            wait_until(lambda: not _runs(pid), "the broker has ended", 20)
            self.systemctl("start", "anbu-broker.service")
            wait_until(self.listens, "the broker listens", 20)

    def listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.broker), 1.0):
            return True
        return False

    def systemctl(self, verb: str, *units: str) -> None:
        subprocess.run([self.tools / "systemctl", verb, *units], check=True)

    def stop(self) -> None:
        pids = [int(one.read_text()) for one in (self.root / "run").glob("*.pid")]
        self.systemctl("stop", "anbu-center.service", "anbu-broker.service")
        wait_until(lambda: not any(map(_runs, pids)), "both have ended", 20)

    def home(self, hub: Hub) -> Home:
        """Return the hub's session with the broker, by the certificate that it holds now."""
        folder = self.root / "hubs-folder"
        (folder / "hubs").mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / "etc/anbu-center/center/ca.crt", folder / "ca.crt")
        for source, ending in zip(hub.files(), ("crt", "key"), strict=True):
            shutil.copy(source, folder / "hubs" / f"{HUB}.{ending}")
        there = SimpleNamespace(certs=folder, host="127.0.0.1", port=self.broker)
        return Home(cast("Broker", there))


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return False


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    try:
        yield made
    finally:
        for file in (made.root / "run").glob("*.pid"):
            if _runs(int(file.read_text())):
                os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.mark.broker
def test_a_centre_set_up_by_the_guide_comes_back_from_its_backup(machine: Machine) -> None:
    for block in ("authority", "leaves", "settings", "start"):
        machine.run(block)
    wait_until(lambda: machine.health()["ok"], f"the centre is well: {machine.logs()}", 30)
    database = machine.health()["database"]
    assert "kim" in machine.anbu("user", "list")
    token = machine.anbu("token", "add", "desk", "--role", "supervisor")
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{machine.console}",
        headers={"Authorization": f"Bearer {token}"},
    )
    hub = registered(machine, client)
    with machine.home(hub) as home:
        home.say("event", event(alarm="before"))
        assert home.hears("before").stage is Stage.RECEIVED
    assert machine.run("calendar") == ""

    machine.run("backup")
    sealed_well(machine)
    renew(hub)  # since the backup
    machine.stop()
    for lost in ("etc/anbu-center", "var/lib/anbu-center", "var/lib/anbu-broker"):
        shutil.rmtree(machine.root / lost)

    assert json.loads(machine.run("restore"))["ok"]
    assert machine.health()["database"] == database
    assert "kim" in machine.anbu("user", "list")
    with machine.home(hub) as home:  # the new certificate, which the restored book does not know
        home.say("event", event(alarm="after"))
        assert home.hears("after").stage is Stage.RECEIVED
    alarms = client.get("/api/alarms").json()["alarms"]
    assert {one["id"] for one in alarms} == {"before", "after"}
    refused = hub.renew(ec.generate_private_key(ec.SECP256R1()))
    assert refused.status_code == 403, "as the guide says of hubs that were renewed meanwhile"
    client.close()


def registered(machine: Machine, client: httpx.Client) -> Hub:
    """Return a hub that an installer has claimed."""
    folder = machine.root / "hub"
    folder.mkdir()
    shutil.copy(machine.root / "etc/anbu-center/center/ca.crt", folder / "ca.crt")
    hub = Hub(folder, machine.port_of_hubs)
    said = {"digits": hub.digits(), "hub": HUB, "known_home": False}
    assert client.post("/api/claims", json=said).status_code == 200
    hub.fetch()
    return hub


def renew(hub: Hub) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    hub.pair = Pair(certificate(hub.renew(key)), key)


@pytest.mark.broker
def test_a_stolen_hub_is_struck_off_as_the_guide_says(machine: Machine) -> None:
    command = "anbu center hub strike-off js-0001 --reason stolen"
    assert command in GUIDE
    for block in ("authority", "leaves", "settings", "start"):
        machine.run(block)
    wait_until(lambda: machine.health()["ok"], f"the centre is well: {machine.logs()}", 30)
    token = machine.anbu("token", "add", "desk", "--role", "supervisor")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{machine.console}", headers=headers) as client:
        hub = registered(machine, client)
    link = LinkConfig((), str(hub.folder / "ca.crt"), *hub.files())
    address = f"tls://127.0.0.1:{machine.broker}"
    machine.reload()
    assert reach(address, link, HUB) == ("good", "")
    machine.anbu(*command.replace("js-0001", HUB).split()[2:])
    denied = machine.root / "var/lib/anbu-center/revoked/denied"
    wait_until(lambda: HUB in denied.read_text("ascii"), "the centre has told the broker", 20)
    machine.reload()
    assert reach(address, link, HUB)[0] == "own_refused"
    wait_until(lambda: machine.health()["ok"], "the centre is linked", 20)


def sealed_well(machine: Machine) -> None:
    """The backup is readable by its owner alone, and neither key nor name is seen in it."""
    (file,) = (machine.root / "var/backups/anbu").iterdir()
    raw, key = file.read_bytes(), (machine.root / "etc/anbu-center/center/ca.key").read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert len(raw) > len(key)
    assert key[30:60] not in raw
    assert b"SQLite format" not in raw


def test_a_backup_that_fails_leaves_the_earlier_ones_and_no_half_of_one(machine: Machine) -> None:
    """A disk full of halves would be the end of the backups that follow."""
    (machine.root / "etc/anbu-center").mkdir()
    database = machine.root / "var/lib/anbu-center/anbu-center.db"
    with closing(sqlite3.connect(database)) as made:
        made.execute("CREATE TABLE homes (name TEXT)")
    machine.run("backup")
    kept = machine.root / "var/backups/anbu"
    before = list(kept.iterdir())
    assert len(before) == 1
    machine.tool("sync", "#!/bin/sh\nexit 1\n")  # as on a disk that is dying
    script = machine.root / "etc/cron.daily/anbu-backup"
    environment = os.environ | {"PATH": f"{machine.tools}:{os.environ['PATH']}"}
    done = subprocess.run([script], check=False, capture_output=True, env=environment)
    assert done.returncode != 0
    assert list(kept.iterdir()) == before


def test_a_certificate_that_ends_is_named_by_the_guides_daily_look(machine: Machine) -> None:
    machine.run("authority")
    machine.run("leaves")
    there = machine.root / "etc/anbu-center/center"
    command = ["openssl", "req", "-x509", "-key", str(there / "ca.key"), "-subj", "/CN=x",
               "-days", "20", "-out", str(there / "est.crt")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    assert machine.run("calendar").strip() == f"ends within a month: {there / 'est.crt'}"


def test_only_the_broker_has_no_key_of_the_authority(machine: Machine) -> None:
    machine.run("authority")
    machine.run("leaves")
    keys = [file for file in machine.root.rglob("*.key") if file.stat().st_mode & 0o077]
    assert keys == []
    broker = machine.root / "etc/anbu-center/broker"
    assert {one.name for one in broker.iterdir()} == {"ca.crt", "broker.crt", "broker.key"}


def test_the_korean_guide_has_the_same_commands() -> None:
    korean = (REPO / "docs/operations.ko.md").read_text("utf-8")
    assert BLOCK.findall(korean) == BLOCK.findall(GUIDE)
