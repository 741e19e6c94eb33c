"""`anbu provision`: what this hub needs from whoever installs it; `run` is the process itself."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.contract.provision import Way
from hub.shared.messages import ours
from hub.shared.settings import noted_by
from provisioning.settings import load
from provisioning.status import State, state_of

GROUP = 4  # digits between two blanks
OFF_S = 60.0


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu provision`."""
    about = ours("provisioning", "provision")["cli"]
    parser.description = about["about"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    commands = parser.add_subparsers(dest="what", metavar="COMMAND", help=about["command"])
    commands.add_parser("run", help=about["run"], description=about["run"])
    status = commands.add_parser("status", help=about["status"], description=about["status"])
    status.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Run one command; return its exit code. Raises SettingsError for a config with mistakes."""
    if args.what == "run":
        from provisioning import app  # noqa: PLC0415 - a terminal needs none of it

        return app.run(args)
    state = state_of(load(args.config, noted_by(args)))
    if getattr(args, "json", False):
        sys.stdout.write(f"{msgspec.json.encode(state).decode()}\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in told(state))
    return 0


def told(state: State) -> Iterator[str]:
    """Yield the state in sentences, and what to do."""
    shown = state.shown
    if state.hub and state.fits and not state.expired:
        yield _say("registered", hub=state.hub, date=state.ends)
        if state.renewed:
            yield _say("renewed")
    elif state.hub:
        yield _say("other_board" if not state.fits else "expired", hub=state.hub, date=state.ends)
    elif state.was:
        yield _say("lost", hub=state.was)
    else:
        yield _say("unregistered")
    if not state.runs:
        yield _say("not_running")
    if shown.digits:
        yield _say("digits", digits=spaced(shown.digits))
        yield _say("digits_how")
    elif shown.trouble:
        yield trouble(shown.trouble)
    yield from _backup(state)
    yield from _network(state)
    if shown.clock_ahead_s is not None and abs(shown.clock_ahead_s) > OFF_S:
        yield _say("clock", s=f"{shown.clock_ahead_s:+.0f}")


def _backup(state: State) -> Iterator[str]:
    if state.restored:
        yield _say("restored")
    if state.anew:
        yield _say("anew", names=", ".join(state.anew))
    if state.kept_nowhere:
        yield _say("kept_nowhere")
    elif state.backup_trouble:
        yield _say("backup_failed", date=state.stored or "-", trouble=trouble(state.backup_trouble))
    elif state.stored:
        yield _say("stored", date=state.stored)


def trouble(word: str) -> str:
    """Return what a trouble means and what to do; a word of a newer release as it is."""
    words = ours("provisioning", "provision")["enrol"]
    return words.get(word, word)


def spaced(digits: str) -> str:
    """Return digits in groups, as they are read out."""
    return " ".join(digits[at : at + GROUP] for at in range(0, len(digits), GROUP))


def _network(state: State) -> Iterator[str]:
    shown = state.shown
    if shown.way is None:
        return
    yield _say(f"way_{Way(shown.way)}", name=shown.network)
    if shown.network_trouble:
        words = ours("provisioning", "network")["result"]
        yield words.get(shown.network_trouble, shown.network_trouble)


def _say(key: str, **values: object) -> str:
    return ours("provisioning", "provision")["status"][key].format(**values)
