"""Checks of the voice: whether it is connected, its own check, its models, a microphone.

The hub listens on the voice's socket and the voice connects to it. /proc/net/unix shows both
without disturbing either; a voice in a network namespace of its own is only in the tables of the
processes in that namespace.
"""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from hub.shared.findings import Finding, bad, good, note
from provisioning.findings import Readers, VoiceConfig, reading
from provisioning.models import catalog

USUAL_FOLDER = Path("/etc/anbu")
LISTENING, CONNECTED = 0x10000, 3  # net/unix: __SO_ACCEPTCON, SS_CONNECTED
PATIENCE_S = 90.0  # hashes, three engines and a microphone take 20 s on a busy Pi
LIBRARIES = ("pyaudio", "vosk", "ctranslate2")
FAULT = "✗"  # marks what the voice's check found wrong; without one the check itself has failed
CAPTURE = re.compile(r"^(\d+)-\d+: ([^:]*):.*\bcapture \d", re.MULTILINE)


def config_of(hub_config: Path, given: Path | None, name: str = "voice.toml") -> Path:
    """Return another process's config: the given one, else beside the hub's, else the usual one."""
    beside = hub_config.resolve().parent / name
    return given or (beside if exists(beside) else USUAL_FOLDER / name)


def examine(
    box: str, config: Path, readers: Readers, proc: Path = Path("/proc")
) -> Iterator[Finding]:
    """Yield the findings on the voice, as they are made. `box` is the hub's socket."""
    connection = connected(box, proc)
    yield connection
    voice: VoiceConfig | None = VoiceConfig()
    there = exists(config)
    if not there:
        yield note("voice_config", "none", file=config)
    else:
        voice, said = reading("voice_config", config, readers.voice, readers)
        yield from said
    if voice and voice.socket != box:
        yield bad("voice_config", "socket", hub=box, voice=voice.socket)
    yield from models((voice.models if voice else "") or os.environ.get("ANBU_MODELS", ""))
    checked = check(config if there else None, running=connection.code == "good")
    yield checked
    yield microphone(proc / "asound", heard=checked.code == "good")


def exists(file: Path) -> bool:
    """Whether a file is there, or may be: in a folder that this user may not read."""
    try:
        return file.exists()
    except OSError:
        return True


def connected(socket: str, proc: Path, check: str = "voice_socket") -> Finding:
    """Return whether the hub listens for a process, and whether that is connected."""
    try:
        states = set(_states(proc / "net" / "unix", socket))
    except PermissionError:
        return note(check, "forbidden", socket=socket)
    except OSError:
        states = set()
    if LISTENING not in states:
        return note(check, "deaf", socket=socket)
    apart = chain.from_iterable(_apart(proc, socket))
    if CONNECTED in states or CONNECTED in apart:
        return good(check, socket=socket)
    return bad(check, "alone", socket=socket)


def models(folder: str) -> Iterator[Finding]:
    """Yield for each model whether it is whole in its folder."""
    if not folder:
        yield note("voice_models", "unnamed")
        return
    for name, model in catalog.shipped().items():
        yield catalog.examine(name, model, Path(folder))


def check(config: Path | None, *, running: bool) -> Finding:
    """Run the voice's own check in a process of its own; return its result with its output."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        return note("voice_check", "elsewhere", names=", ".join(missing))
    command = _command(config)
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=PATIENCE_S, check=False, env=os.environ | {"PYTHONUTF8": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        lines = _lines(late.output or b"")
        return bad("voice_check", "silent", timeout=f"{PATIENCE_S:.0f}", lines=lines)
    lines = _lines(done.stdout)
    if done.returncode == 0:
        return good("voice_check", lines=lines)
    if done.returncode == 1 and running and FAULT in lines:
        return note("voice_check", "busy", lines=lines)
    return bad("voice_check", "bad", lines=lines)


def microphone(asound: Path, *, heard: bool) -> Finding:
    """Return which sound cards can record; a voice whose check was good needs no ALSA card."""
    try:
        text = (asound / "pcm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    names = [f"{card}: {name.strip()}" for card, name in CAPTURE.findall(text)]
    if names:
        return good("microphone", names=", ".join(names))
    return note("microphone", "none") if heard else bad("microphone", "none")


def _command(config: Path | None) -> list[str]:
    named = ["--config", str(config)] if config else []
    return [sys.executable, "-m", "hub", "voice", *named, "check"]


def _lines(said: bytes) -> str:
    return "\n".join(f"  {line}" for line in said.decode(errors="replace").splitlines())


def _states(table: Path, socket: str) -> Iterator[int]:
    """Yield LISTENING or the state of each end of `socket` in a table of unix sockets."""
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if fields[7:] == [socket]:
            listens = int(fields[3], 16) & LISTENING
            yield listens or int(fields[5], 16)


def _apart(proc: Path, socket: str) -> Iterator[Iterator[int]]:
    """Yield the states in the tables of processes that have a network namespace of their own."""
    seen = {_network(proc / "self")}
    for process in sorted(proc.glob("[0-9]*")):
        network = _network(process)
        if network not in seen:
            seen.add(network)
            yield _readable(process / "net" / "unix", socket)


def _network(process: Path) -> str:
    try:
        return str((process / "ns" / "net").readlink())
    except OSError:  # the process has ended, or belongs to another user
        return ""


def _readable(table: Path, socket: str) -> Iterator[int]:
    try:
        yield from _states(table, socket)
    except OSError:
        return
