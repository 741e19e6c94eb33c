"""The `anbu` command line. Each command imports only what it needs, to keep the hub small."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hub.shared.command_line import STOPPED, Parser, fit_terminal, spoken
from hub.shared.messages import messages, ours, tell, usual_language
from hub.shared.settings import Mistake, Noted, SettingsError

if TYPE_CHECKING:
    from provisioning.findings import HubConfig, RadioConfig, VoiceConfig

USAGE_ERROR = 2
ELSEWHERE = {  # command -> the module with `add_arguments(parser)` and `run(args) -> int`
    "center": "center.cli",
    "dev-certs": "provisioning.certs.dev",
    "broker-config": "provisioning.broker.config",
    "broker-reload": "provisioning.broker.reload",
    "doctor": "provisioning.doctor.command",
    "firstboot": "provisioning.firstboot",
    "house": "drivers.virtual.cli",
    "models": "provisioning.models.command",
    "provision": "provisioning.cli",
    "network": "provisioning.network.cli",
    "radio": "drivers.bluetooth.cli",
    "replay": "hub.replay.command",
    "sensors": "drivers.virtual.sensors_cli",
    "support-bundle": "provisioning.support.bundle",
    "voice": "voice.cli",
    "wipe": "provisioning.encryption.command",
}
Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 (it failed), or 2 (the command line or a file is wrong)."""
    words = sys.argv[1:] if argv is None else list(argv)
    fit_terminal()
    try:
        with spoken(words):
            try:
                return _command(words)
            finally:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return STOPPED


def _command(words: Sequence[str]) -> int:
    name = _named(words)
    try:
        args = parser(name).parse_args(words)
        run: Command = args.run
        return run(args)
    except SettingsError as error:
        for mistake in error.mistakes:
            _say(mistake)
    except OSError as error:
        if name == "hub":
            raise  # the traceback goes to systemd's log
        print(f"{error.filename or name}: {error.strerror or error}", file=sys.stderr)
    return USAGE_ERROR


def _named(words: Sequence[str]) -> str:
    return next((word for word in words if word in {"hub", *ELSEWHERE}), "")


def parser(chosen: str) -> Parser:
    """Return the parser with the arguments of one command; the others have only their help text."""
    said = ours("hub", "cli")
    whole = Parser(prog="anbu", description=said["shared"]["anbu"])
    commands = whole.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=said["shared"]["command"]
    )
    about = said["command"]["hub"]
    _describe_hub(commands.add_parser("hub", help=about, description=about))
    for name, module in ELSEWHERE.items():
        about = said["command"][name]
        command = commands.add_parser(name, help=about, description=about)
        if name == chosen:
            found = import_module(module)
            found.add_arguments(command)
            command.set_defaults(run=found.run, noted=_say)
            command.set_defaults(load_hub=_hub_config, load_voice=_voice_config, tell=tell,
                                 load_wireless=_wireless, load_radio=_radio_config)  # fmt: skip
    return whole


def _describe_hub(command: argparse.ArgumentParser) -> None:
    said = ours("hub", "cli")["hub"]
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help=said["config"])
    command.add_argument("--virtual", action="store_true", help=said["virtual"])
    command.set_defaults(run=_hub)


def _say(mistake: Mistake) -> None:
    print(tell(mistake, usual_language()), file=sys.stderr)


def _hub_config(path: Path, noted: Noted) -> "HubConfig":
    """Read a hub's config for `anbu doctor`, with the hub's own reader."""
    from drivers import contact, radio  # noqa: PLC0415 - other commands need none of it
    from drivers.voicebox import driver as voicebox  # noqa: PLC0415
    from hub.config import load  # noqa: PLC0415
    from hub.core.model.rules import CALL_OF_ROLE  # noqa: PLC0415
    from hub.link.identity import settings_of  # noqa: PLC0415
    from hub.shared.identity import in_use  # noqa: PLC0415
    from provisioning.findings import HubConfig, LinkConfig  # noqa: PLC0415

    config = load(path, noted)
    held = in_use(config.identities) if config.enrolled else None
    link = settings_of(held, config.mqtt) if held else config.mqtt
    boxes = [device.socket for device in config.device if isinstance(device, voicebox.Driver)]
    radios = [device.socket for device in config.device if isinstance(device, radio.Driver)]
    wired = [device for device in config.device if isinstance(device, contact.Driver)]
    return HubConfig(
        config.hub,
        config.state_dir,
        config.run_dir,
        LinkConfig(link.brokers, link.ca, link.cert, link.key, link.protocol),
        next(iter(boxes), ""),
        {one.name: one.normally_closed for one in wired if one.role in CALL_OF_ROLE},
        next(iter(radios), ""),
        config.enrolled,
        config.county,
    )


def _wireless(path: Path) -> dict[str, tuple[str, str]]:
    """Read the list of wireless devices for `anbu doctor`, with the radio's own reader."""
    from drivers.bluetooth.devices import load  # noqa: PLC0415 - other commands need none of it

    return {one.address: (one.name, str(one.__struct_config__.tag)) for one in load(path)}


def _radio_config(path: Path, noted: Noted) -> "RadioConfig":
    """Read a radio's config for `anbu doctor`, with the radio's own reader."""
    from drivers.bluetooth.settings import load  # noqa: PLC0415 - other commands need none of it
    from provisioning.findings import RadioConfig  # noqa: PLC0415

    settings = load(path, noted)
    named = (settings.adapters.listen, settings.adapters.connect)
    return RadioConfig(settings.socket, settings.state_dir, tuple(filter(None, named)))


def _voice_config(path: Path, noted: Noted) -> "VoiceConfig":
    """Read a voice's config for `anbu doctor`, with the voice's own reader."""
    from provisioning.findings import VoiceConfig  # noqa: PLC0415 - other commands need none of it
    from voice.settings import load  # noqa: PLC0415

    settings = load(path, noted)
    return VoiceConfig(settings.socket, settings.models)


def _hub(args: argparse.Namespace) -> int:
    from drivers.virtual.furnish import furnish  # noqa: PLC0415
    from hub import app  # noqa: PLC0415 - other commands need none of it
    from hub.config import load  # noqa: PLC0415
    from hub.process.claim import ClaimedError, claimed  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = load(args.config)
    except OSError as error:
        print(f"{args.config}: {error.strerror}", file=sys.stderr)
        return USAGE_ERROR
    drivers = config.device
    if args.virtual:
        phrases = messages("hub", config.language, "hub")["say"]
        drivers = furnish(drivers, config.run_dir, phrases, config.state_dir)
    try:
        with claimed(Path(config.state_dir)):
            asyncio.run(app.serve(config, drivers))
    except ClaimedError:
        said = ours("hub", "hub")["start"]["claimed"]
        print(said.format(folder=config.state_dir), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
