"""`anbu network`: for an installer at a terminal. Exit codes: 0; 1 (it failed); 2 (bad arguments).

`clock` is for its unit: 3 says that a time server has to be taken up.

The password of a Wi-Fi is asked for, or read from the standard input; never an argument, which
every user of the machine could read.
"""

import asyncio
import getpass
import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from hub.contract.provision import Fact, NetworkTrouble
from hub.shared.county import load
from hub.shared.messages import ours
from provisioning.network import clock
from provisioning.network.bus import connect
from provisioning.network.checks import Center, check
from provisioning.network.form import flaw
from provisioning.network.nm import UNREACHED, JoinError, NetworkDaemon, trouble_of
from provisioning.network.service import Connections, Setup
from provisioning.network.state import Credentials, Security, readable

HTTP, CHANGED = 80, 3
COUNTY = Path("/etc/anbu/county.toml")
SCAN_S = 4.0  # an adapter hears all channels in about that time
Job = Callable[[NetworkDaemon], Awaitable[int]]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu network`."""
    said = ours("provisioning", "network")["cli"]
    parts = parser.add_subparsers(
        dest="what", required=True, metavar="COMMAND", help=said["command"]
    )
    for name in ("status", "scan", "join", "check", "run", "clock"):
        command = parts.add_parser(name, help=said[name])
        if name == "clock":
            command.add_argument("--county", type=Path, default=COUNTY, help=said["county"])
            command.add_argument("--root", type=Path, default=Path("/"), help=said["root"])
        if name in {"status", "scan"}:
            command.add_argument("--json", action="store_true", help=said["json"])
        if name == "join":
            command.add_argument("name", metavar="NAME", help=said["name"])
            command.add_argument("--hidden", action="store_true", help=said["hidden"])
        if name in {"check", "run"}:
            needed = name == "check"
            command.add_argument("--center", required=needed, metavar="URL", help=said["center"])
            command.add_argument("--ca", required=needed, metavar="FILE", help=said["ca"])
        if name == "run":
            command.add_argument(
                "--port", type=int, default=HTTP, metavar="PORT", help=said["port"]
            )


def run(args: Namespace) -> int:
    """Do what was asked; return the exit code."""
    match args.what:
        case "check":
            return asyncio.run(_check(Center.at(args.center, args.ca)))
        case "run":
            return _run(args)
        case "clock":
            changed = clock.write(load(args.county), args.root)
            return CHANGED if changed else 0
        case "join":
            return asyncio.run(_with_manager(lambda manager: _join(manager, args)))
        case "scan":
            return asyncio.run(_with_manager(lambda manager: _scan(manager, as_json=args.json)))
        case _:
            return asyncio.run(_with_manager(lambda manager: _status(manager, as_json=args.json)))


async def _with_manager(job: Job) -> int:
    try:
        bus = await connect()
        try:
            manager = NetworkDaemon(bus)
            await manager.begin()
            return await job(manager)
        finally:
            bus.disconnect()
    except UNREACHED as error:
        detail = f" ({error})" if str(error) else ""
        sys.stderr.write(f"{_result(trouble_of(error))}{detail}\n")
        return 1


async def _status(manager: NetworkDaemon, *, as_json: bool) -> int:
    said, seen = ours("provisioning", "network")["cli"], await manager.look()
    if as_json:
        _say(msgspec.json.encode(seen).decode())
        return 0
    signal = "" if seen.signal_dbm is None else f"{seen.signal_dbm} dBm"
    _say(said["cable"].format(cable=said[f"cable_{seen.cable}"]))
    radio = said[f"radio_{seen.radio}"]
    _say(said["wifi"].format(radio=radio, name=seen.name, signal=signal).rstrip())
    _say(said["saved"].format(saved=said["yes" if seen.saved else "no"]))
    return 0


async def _scan(manager: NetworkDaemon, *, as_json: bool) -> int:
    said = ours("provisioning", "network")
    await manager.scan()
    await asyncio.sleep(SCAN_S)
    spots = await manager.scan()
    if as_json:
        told = [
            {"name": one.name, "signal_dbm": one.signal_dbm, "security": one.security}
            for one in spots
        ]
        _say(msgspec.json.encode(told).decode())
        return 0
    for one in spots:
        security = said["form"][f"security_{one.security}"]
        _say(said["cli"]["spot"].format(dbm=one.signal_dbm, security=security, name=one.name))
    if not spots:
        _say(said["cli"]["no_wifi"])
    return 0


async def _join(manager: NetworkDaemon, args: Namespace) -> int:
    said, ssid = ours("provisioning", "network"), args.name.encode()
    heard = next((one for one in await manager.scan() if one.name == args.name), None)
    password = ""
    if not heard or heard.security is not Security.OPEN:
        password = await asyncio.to_thread(_password, said["cli"]["ask"].format(name=args.name))
    guess = Security.PASSWORD if password else Security.OPEN
    security = heard.security if heard else guess
    if wrong := flaw(ssid, password, security):
        sys.stderr.write(said["refused"][wrong.key].format(name=wrong.name, n=wrong.n) + "\n")
        return 1
    try:
        wanted = Credentials(heard.ssid if heard else ssid, password, args.hidden, security)
        await manager.join(wanted)
    except JoinError as error:
        sys.stderr.write(_result(error.trouble) + "\n")
        return 1
    _say(said["cli"]["joined"].format(name=readable(wanted.ssid)))
    return 0


async def _check(center: Center) -> int:
    said, found = ours("provisioning", "network")["cli"], await check(center)
    if found.trouble:
        sys.stderr.write(_result(found.trouble) + "\n")
        return 1
    if found.ahead_s is None:
        _say(said["no_clock"])
    else:
        _say(said["reached"].format(ahead=f"{found.ahead_s:.1f}"))
    return 0


def _run(args: Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    center = Center.at(args.center, args.ca or "") if args.center else None
    asyncio.run(Connections(Setup(center, args.port)).run(_show))
    return 0


def _show(fact: Fact) -> None:
    _say(msgspec.json.encode(msgspec.to_builtins(fact)).decode())


def _password(prompt: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")


def _result(trouble: NetworkTrouble) -> str:
    return ours("provisioning", "network")["result"][trouble]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
