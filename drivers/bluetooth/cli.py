"""`anbu radio`: run the radio process, and what an installer asks of it.

A command's module is imported when it is chosen and not before: the process that runs in a home has
little memory.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hub.shared.command_line import Parser
from hub.shared.messages import ours

COMMANDS: dict[str, str] = {  # each module has `add_arguments(parser)` and `run(args) -> int`
    "decode": "drivers.bluetooth.decode_cli",
    "add": "drivers.bluetooth.pairing.add_cli",
    "bonds": "drivers.bluetooth.pairing.bonds_cli",
    "pair": "drivers.bluetooth.pairing.pair_cli",
    "run": "drivers.bluetooth.app",
    "scan": "drivers.bluetooth.scan_cli",
    "measure": "drivers.bluetooth.measure_cli",
}


class _Command(Parser):
    """The parser of one command, described by its module when it is chosen."""

    def __init__(self, *args: Any, module: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._module = module

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        found = import_module(self._module)
        found.add_arguments(self)
        self.set_defaults(do=found.run)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio`."""
    about = ours("drivers.bluetooth")["cli"]
    parser.description = about["about"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    commands = parser.add_subparsers(
        dest="what", required=True, metavar="COMMAND", help=about["command"], parser_class=_Command
    )
    for name, module in COMMANDS.items():
        commands.add_parser(name, help=about[name], description=about[name], module=module)


def run(args: Namespace) -> int:
    """Run one command; return its exit code. Raises SettingsError for a config with mistakes."""
    do: Callable[[Namespace], int] = args.do
    return do(args)
