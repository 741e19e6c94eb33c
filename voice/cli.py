"""`anbu voice`: run the voice process, and examine what it needs.

Exit codes: 0, 1 (something must be mended), 2 (not understood); of `run` also 70 (a part broke) and
75 (PortAudio hung): start it again.
"""

import asyncio
import logging
import os
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TextIO

from hub.shared.findings import MARKS, Verdict
from hub.shared.language import Language
from hub.shared.messages import messages, ours, sentence, usual_language
from hub.shared.settings import SettingsError, noted_by
from hub.shared.system import one_heap
from voice import understand_cli
from voice.dialogue.plan_check import flaws
from voice.dialogue.plan_files import Flaw, PlanFile, gather
from voice.dialogue.plans import SHIPPED, Plans
from voice.recording import command as recording
from voice.settings import VoiceSettings, load

USAGE_ERROR = 2
log = logging.getLogger(__name__)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu voice`."""
    about = ours("voice")["cli"]
    parser.add_argument("--config", type=Path, metavar="FILE", help=about["config"])
    commands = parser.add_subparsers(
        dest="what", required=True, metavar="COMMAND", help=about["command"]
    )
    own: dict[str, Callable[[Namespace], int]] = {"run": _run, "check": _check, "devices": _devices}
    for name, function in own.items():
        commands.add_parser(name, help=about[name]).set_defaults(do=function)
    say = commands.add_parser("say", help=about["say"])
    say.add_argument("text", metavar="TEXT", help=about["say_text"])
    say.set_defaults(do=_say)
    for name, (describe, do) in {
        "bank": (recording.bank_arguments, recording.run_bank),
        "record": (recording.record_arguments, recording.run_record),
        "understand": (understand_cli.add_arguments, understand_cli.run),
    }.items():
        command = commands.add_parser(name, help=about[name])
        describe(command)
        command.set_defaults(do=do)
    plans = commands.add_parser("plans", help=about["plans"])
    actions = plans.add_subparsers(
        dest="plans", required=True, metavar="COMMAND", help=about["command"]
    )
    check = actions.add_parser("check", help=about["plans"])
    plan_check_arguments(check)
    check.set_defaults(do=run_plan_check)


def run(args: Namespace) -> int:
    """Run one command. Raises SettingsError for a config with mistakes."""
    do: Callable[[Namespace], int] = args.do
    try:
        return do(args)
    except OSError as error:
        _tell(sentence("voice", "cli", "unreadable", file=error.filename, reason=error.strerror))
        return USAGE_ERROR


def _run(args: Namespace) -> int:
    """Serve; never returns, since a thread that hangs in PortAudio would block a normal exit."""
    settings = load(args.config, noted_by(args))
    _hush()
    one_heap()
    from voice.app import App  # noqa: PLC0415 - loads all libraries

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    threading.excepthook = _end_loudly

    async def serve() -> int:
        return await App(settings).run()

    code = asyncio.run(serve())
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _end_loudly(args: threading.ExceptHookArgs) -> None:
    """End the process: a voice whose capture thread is dead must not look alive."""
    log.critical("the thread %s broke", args.thread, exc_info=args.exc_value)
    os._exit(70)


def _check(args: Namespace) -> int:
    settings = load(args.config, noted_by(args))
    _hush()
    from voice.check import examine, key_of  # noqa: PLC0415 - loads PortAudio
    from voice.loading import mistakes_of  # noqa: PLC0415 - loads the engines

    bad = False
    for found in examine(settings):
        is_bad = found.verdict is Verdict.BAD
        bad |= is_bad
        mark = MARKS[Verdict.BAD if is_bad else Verdict.GOOD]  # a note has the sign of what is good
        text = sentence("voice", "check", key_of(found), **found.values)
        sys.stdout.write(f"{mark} {text}\n".replace("\n", "\n  ").rstrip(" "))
        sys.stdout.flush()
    for mistake in mistakes_of(settings, noted_by(args)):
        noted_by(args)(mistake)
    return int(bad)


def _devices(_args: Namespace) -> int:
    _hush()
    from voice.sound.portaudio import PortAudio  # noqa: PLC0415 - loads PortAudio

    found = PortAudio().devices()
    said = ours("voice")["cli"]
    for device in found:
        shown = {"name": device.name, "rate_hz": device.rate_hz}
        inputs = [said["device_in"]] * bool(device.inputs)
        outputs = [said["device_out"]] * bool(device.outputs)
        sys.stdout.writelines(f"{line.format(**shown)}\n" for line in inputs + outputs)
    if not found:
        _tell(sentence("voice", "cli", "no_devices"))
    return int(not found)


def _say(args: Namespace) -> int:
    settings: VoiceSettings = load(args.config, noted_by(args))
    _hush()
    from voice.loading import mouth_of  # noqa: PLC0415 - loads the engines
    from voice.sound.loudspeaker import Loudspeaker  # noqa: PLC0415
    from voice.sound.portaudio import PortAudio, SoundError  # noqa: PLC0415

    mouth, _ = mouth_of(settings)
    speaker = Loudspeaker(PortAudio(), settings.loudspeaker)
    try:
        speaker.play(mouth.render(args.text), settings.volume_pct, Event())
    except SoundError as error:
        _tell(sentence("voice", "cli", "not_said", reason=error))
        return 1
    return 0


def _hush() -> None:
    from voice.sound.portaudio import hush  # noqa: PLC0415 - loads PortAudio

    hush()


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def plan_check_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu voice plans check`."""
    said = ours("voice", "plans")["check"]
    parser.description = said["about"]
    parser.add_argument(
        "folder", type=Path, nargs="?", default=SHIPPED, metavar="FOLDER", help=said["folder_about"]
    )


def run_plan_check(args: Namespace) -> int:
    """Check a folder of plans and print its flaws.

    Raises SettingsError, after that, with the mistakes of form.
    """
    folder: Path = args.folder
    below = [] if folder == SHIPPED else [SHIPPED]
    try:
        sources, mistakes = gather(folder, *below, noted=noted_by(args))
    except OSError as error:
        _tell_of_plans(sys.stderr, "unreadable", folder=str(folder), reason=str(error.strerror))
        return USAGE_ERROR
    found = flaws(sources)
    for flaw in found:
        _tell(flaw_sentence(flaw, usual_language()))
    if mistakes:
        raise SettingsError(mistakes)
    if found:
        return USAGE_ERROR
    says = [source.says for source in sources[0]]
    keys = ", ".join(key for one in says if isinstance(one, PlanFile) for key in one.answers)
    count = len(Plans.of(sources).sentences())
    _tell_of_plans(sys.stdout, "right", folder=str(folder), keys=keys, count=str(count))
    return 0


def flaw_sentence(flaw: Flaw, language: Language) -> str:
    """Return a flaw as `file:line: key: sentence`."""
    said = messages("voice", language, "plans")
    first, second, third = (*flaw.allowed, "", "", "")[:3]
    text = said["flaw"][flaw.kind].format(
        allowed=", ".join(flaw.allowed),
        circle=" → ".join(flaw.allowed),
        first=first,
        second=second,
        third=third,
    )
    if flaw.did_you_mean:
        text += said["hint"]["meant"].format(meant=flaw.did_you_mean)
    return f"{flaw.file}:{flaw.line}: {flaw.key}: {text}"


def _tell_of_plans(stream: TextIO, key: str, **values: str) -> None:
    stream.write(ours("voice", "plans")["check"][key].format(**values) + "\n")
