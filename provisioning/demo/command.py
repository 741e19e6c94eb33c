"""`./demo`: a real Mosquitto, control centre, hub in a virtual house, and the house's page.

python -m provisioning.demo.command [--dir run/demo] [--json]
"""

import argparse
import asyncio
import fcntl
import http.client
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.shared import unix_socket
from hub.shared.messages import ours, sentence
from provisioning.broker import config as broker
from provisioning.demo.files import HOST, HUB, USER, Files, lay
from provisioning.demo.processes import DiedError, Healthy, Program, serve

RECORD = Path(__file__).resolve().parents[2] / "docs" / "examples" / "record.toml"  # invented

ANBU = (sys.executable, "-m", "hub")


class NotifySocket:
    """systemd's side of `READY=1`, for a program that the demo starts."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.path, self._ready = path, False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._socket.bind(os.fspath(path))

    async def ready(self) -> bool:
        """Whether the program has sent READY; reads all that it has sent."""
        with suppress(BlockingIOError):
            while line := self._socket.recv(4096):
                self._ready = self._ready or b"READY=1" in line.splitlines()
        return self._ready


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C; 1 when a part of it has died."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a sign of ours
    about = ours("provisioning")["demo"]
    parser = argparse.ArgumentParser(prog="demo", description=about["about"])
    parser.add_argument("--dir", type=Path, default=Path("run/demo"), help=about["dir"])
    parser.add_argument("--json", action="store_true", help=about["json"])
    parser.add_argument("--voice", metavar="PYTHON", help=about["voice"])
    args = parser.parse_args(argv)
    folder = args.dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder) as alone:
        if not alone:
            _say(sentence("provisioning", "demo", "twice", folder=folder))
            return 1
        return _run(folder, args.voice, as_json=args.json)


def _run(folder: Path, voice: str | None, *, as_json: bool) -> int:
    _say(sentence("provisioning", "demo", "starting"))
    files = lay(folder, voice=voice is not None)
    if aside := broker.mend(folder / "mosquitto"):
        _say(sentence("provisioning", "broker", "set_aside", path=aside))
    groups = (*programs(files), *([(_voice(files, voice),)] if voice else []))
    try:
        _add_operator(files)
        asyncio.run(serve(groups, folder / "log", lambda: _tell(files, as_json=as_json)))
    except DiedError as died:
        key = "not_healthy" if died.code is None else "died"
        _say(sentence("provisioning", "demo", key, name=died.name, code=died.code, log=died.log))
        _say(died.tail())
        return 1
    _say(sentence("provisioning", "demo", "stopped"))
    return 0


def programs(files: Files) -> tuple[tuple[Program, ...], ...]:
    """Return the programs in two groups: the broker, then centre, hub and the house's page."""
    folder, ports = files.folder, files.ports
    notify = NotifySocket(folder / "notify")
    center = (*ANBU, "center", "--config", str(folder / "center.toml"))
    hub = (*ANBU, "hub", "--config", str(folder / "hub.toml"), "--virtual")
    socket_name = str(folder / "house.sock")
    house = (*ANBU, "house", "serve", "--socket", socket_name, "--port", str(ports["house"]))
    radio = (*ANBU, "radio", "--config", str(folder / "radio.toml"), "run", "--virtual")
    mosquitto = (broker.program(), "-c", str(folder / "mosquitto.conf"))
    return (
        (Program("mosquitto", mosquitto, _listens(ports["broker"])),),
        (
            Program("center", center, _answers(ports["console"], "/healthz")),
            Program("hub", hub, notify.ready, environment={"NOTIFY_SOCKET": str(notify.path)}),
            Program("house", house, _answers(ports["house"], "/")),
            Program("radio", radio, _hears(folder / "house.sock"), again=True),
        ),
    )


def _voice(files: Files, python: str) -> Program:
    """Return the voice process, which may end by itself, or be killed by the hub when it hangs."""
    log = files.folder / "log" / "voice.log"

    async def ready() -> bool:
        return "ready after" in log.read_text(encoding="utf-8", errors="replace")

    config = str(files.folder / "voice.toml")
    command = (python, "-m", "hub", "voice", "--config", config, "run")
    return Program("voice", command, ready, patience_s=60.0, again=True)


def _hears(house: Path) -> Healthy:
    """Whether a radio process hears the virtual house."""

    def ask() -> bool:
        try:
            answer = json.loads(next(unix_socket.ask(house, b'{"do":"lamps"}\n', 2.0), b"{}"))
        except (OSError, ValueError):
            return False
        return bool(answer.get("wireless", {}).get("heard"))

    async def hears() -> bool:
        return await asyncio.to_thread(ask)

    return hears


def _add_operator(files: Files) -> None:
    """Make the demo's operator and resident, at the first start only: it takes seconds."""
    made = files.folder / "state" / "operator-made"
    if made.exists():
        return
    center = ("center", "--config", str(files.folder / "center.toml"))
    user = ("user", "add", USER, "--role", "operator", "--password-stdin")
    resident = ("home", "set", HUB, "--file", str(RECORD))
    log = files.folder / "log" / "operator.log"
    with log.open("wb") as output:
        for words in (user, resident) if RECORD.exists() else (user,):
            done = subprocess.run(  # noqa: S603 - our own program
                (*ANBU, *center, *words),
                input=files.password.encode(),
                stdout=output,
                stderr=output,
                check=False,
            )
            if done.returncode:
                raise DiedError(log.stem, done.returncode, log)
    made.touch()


def _listens(port: int) -> Healthy:
    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            return False
        writer.close()
        return True

    return listens


def _answers(port: int, path: str) -> Healthy:
    def ask() -> bool:
        asking = http.client.HTTPConnection(HOST, port, timeout=2)
        try:
            asking.request("GET", path)
            return asking.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asking.close()

    async def answers() -> bool:
        return await asyncio.to_thread(ask)

    return answers


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _tell(files: Files, *, as_json: bool) -> None:
    told = {
        "console": files.url("console"),
        "house": files.url("house"),
        "user": USER,
        "password": files.password,
    }
    _say(json.dumps(told) if as_json else sentence("provisioning", "demo", "on", **told))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
