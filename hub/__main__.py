"""The `anbu` command line. Each command imports only what it needs: the hub must stay small."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from hub.core.settings import SettingsError
from hub.texts import Language, messages, tell

USAGE_ERROR = 2
ELSEWHERE = {  # command -> the module with `add_arguments(parser)` and `run(args) -> int`
    "center": "center.cli",
    "dev-certs": "provisioning.dev_certs",
    "broker-config": "provisioning.broker",
    "doctor": "provisioning.doctor",
    "house": "drivers.house_client",
    "models": "provisioning.models",
    "replay": "hub.replay_command",
    "sensors": "drivers.proof_client",
    "voice": "voice.cli",
}
Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 (it failed), or 2 (it was not understood)."""
    words = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="anbu", description="Anbu Hub")
    commands = parser.add_subparsers(dest="command", required=True)
    hub = commands.add_parser("hub", help="run the hub of a home")
    hub.add_argument("--config", type=Path, required=True, metavar="FILE")
    hub.add_argument("--virtual", action="store_true", help="in a virtual house, without hardware")
    hub.set_defaults(run=_hub)
    for name, module in ELSEWHERE.items():
        command = commands.add_parser(name)
        if words[:1] == [name]:
            found = import_module(module)
            found.add_arguments(command)
            command.set_defaults(run=found.run)
    args = parser.parse_args(words)
    run: Command = args.run
    try:
        return run(args)
    except SettingsError as error:
        for language in Language:
            for mistake in error.mistakes:
                print(tell(mistake, language), file=sys.stderr)
        return USAGE_ERROR


def _hub(args: argparse.Namespace) -> int:
    from hub import app, house  # noqa: PLC0415 - other commands need none of it
    from hub.claim import ClaimedError, claimed  # noqa: PLC0415
    from hub.config import load  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = load(args.config)
    except OSError as error:
        print(f"{args.config}: {error.strerror}", file=sys.stderr)
        return USAGE_ERROR
    drivers = house.furnish(config) if args.virtual else config.device
    try:
        with claimed(Path(config.state_dir)):
            asyncio.run(app.serve(config, drivers))
    except ClaimedError:
        for language in Language:
            said = messages("hub", language)["start"]["claimed"]
            print(said.format(folder=config.state_dir), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
