"""`anbu sensors`: shows what the running hub knows of each device; `--follow` shows every change.

The hub itself is asked, on a real Pi as in a virtual house. Exit codes: 0 done; 2 wrong arguments;
3 no hub is running.
"""

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.contract import json_lines
from hub.shared import unix_socket
from hub.shared.messages import Messages, messages, ours

PLACES = ("/run/anbu", "run/demo")  # a Pi, and ./demo
PATIENCE_S = 15.0  # the hub sends something every 5 s
NO_HUB = 3

Device = dict[str, Any]


class NoHubError(Exception):
    """There is no answer at the socket."""


def usual_socket() -> str:
    """Return the socket of a hub that runs in the usual place."""
    folder = os.environ.get("ANBU_RUN_DIR")
    known = [Path(place) / "hub.sock" for place in PLACES]
    found = next((path for path in known if path.exists()), known[-1])
    return str(Path(folder) / "hub.sock" if folder else found)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of `anbu sensors`."""
    said = ours("drivers.virtual")["proof"]
    parser.description = said["about"]
    parser.add_argument("--socket", default=usual_socket(), help=said["socket_about"])
    parser.add_argument("--json", action="store_true", help=said["json_about"])
    parser.add_argument("--follow", action="store_true", help=said["follow_about"])


def run(args: Namespace) -> int:
    """Show the devices once, or every change until Ctrl-C."""
    said = messages("drivers.virtual", args.lang)
    if Path(args.socket).name == "house.sock":  # the hub of that house
        args.socket = str(Path(args.socket).with_name("hub.sock"))
    try:
        for text in _story(said, args):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except NoHubError:
        sys.stderr.write(said["proof"]["no_hub"].format(socket=args.socket) + "\n")
        return NO_HUB
    except KeyboardInterrupt:
        pass
    return 0


def _story(said: Messages, args: Namespace) -> Iterator[str]:
    answers = _ask(args.socket, "follow" if args.follow else "sensors")
    first = next(answers)
    yield json.dumps(first, ensure_ascii=False) if args.json else table(said, first["sensors"])
    if not args.follow:
        return
    if args.json:
        yield from (json.dumps(answer, ensure_ascii=False) for answer in answers)
        return
    yield said["proof"]["walk"]
    yield from _changes(said, first["sensors"], answers)


def _changes(
    said: Messages, before: list[Device], answers: Iterator[dict[str, Any]]
) -> Iterator[str]:
    """Yield a line for each change, with the devices that have not changed yet."""
    missing = [device["name"] for device in before]
    for answer in answers:
        old = {device["name"]: device for device in before}
        before = answer["sensors"]
        for device in before:
            was = old.get(device["name"], {})
            keys = ("on", "battery_pct", "faults")
            if all(was.get(key) == device[key] for key in keys):
                continue
            if was.get("on") != device["on"] and device["name"] in missing:
                missing.remove(device["name"])
            left = ", ".join(missing) or said["proof"]["nothing"]
            now = time.strftime("%H:%M:%S")
            yield f"{now}  {line(said, device)}   {said['proof']['missing'].format(names=left)}"


def table(said: Messages, devices: list[Device]) -> str:
    """Return a line for every device."""
    return "\n".join(line(said, device) for device in devices) or said["proof"]["none"]


def line(said: Messages, device: Device) -> str:
    """Return a device's line: mark, place and name, level, age, battery, faults."""
    proof = said["proof"]
    mark = (
        "✗" if device["faults"] else "·" if device["on"] is None else "●" if device["on"] else "○"
    )
    parts = [f"{mark} {device['place'] or device['name']} ({device['name']})"]
    level = "unheard" if device["on"] is None else "on" if device["on"] else "off"
    parts.append(proof.get(f"{device['what']}_{level}", proof[level]))
    if device["since_s"] is not None:
        parts.append(proof["since"].format(s=_span(said, device["since_s"])))
    if device["heard_s"] is not None:
        parts.append(proof["heard"].format(s=_span(said, device["heard_s"])))
    if device["battery_pct"] is not None:
        parts.append(proof["battery"].format(pct=f"{device['battery_pct']:g}"))
    parts += [proof["fault"].format(what=proof.get(f"fault_{f}", f)) for f in device["faults"]]
    return "  ".join(parts)


def _span(said: Messages, seconds: float) -> str:
    for unit, length_s in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length_s:
            return said["proof"][unit].format(n=round(seconds / length_s))
    return said["proof"]["seconds"].format(n=round(seconds))


def _ask(socket: str, what: str) -> Iterator[dict[str, Any]]:
    try:
        for answer in unix_socket.ask(socket, json_lines.encode({"do": what}), PATIENCE_S):
            yield json.loads(answer)
    except (OSError, ValueError) as error:
        raise NoHubError from error
    raise NoHubError  # the hub has closed the connection
