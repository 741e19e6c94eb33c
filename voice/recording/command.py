"""`anbu voice bank build`, `anbu voice bank check` and `anbu voice record`.

Exit codes: 0 nothing is missing; 1 something is missing or was refused, or a session at the
microphone was interrupted; 2 a model, file, microphone or terminal cannot be used.
"""

import logging
import re
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from hub.shared.messages import ours
from hub.shared.settings import noted_by
from voice.recording.build import build, gaps, prune
from voice.recording.review import fault, store
from voice.recording.session import Prompt
from voice.settings import VoiceSettings, load
from voice.speaking.bank import SHIPPED, Bank, fixed_sentences, read_sound

INCOMPLETE, UNUSABLE = 1, 2  # exit codes
EACH_S = 20  # for one sentence and its keys: a guess


def bank_arguments(parser: ArgumentParser) -> None:
    """Describe `anbu voice bank`."""
    said = ours("voice", "mouth")["bank"]
    parser.description = said["about"]
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="COMMAND", help=said["command_about"]
    )
    for action in ("build", "check"):
        about = said[f"{action}_about"]
        sub = actions.add_parser(action, help=about, description=about)
        sub.add_argument("--folder", type=Path, default=SHIPPED, help=said["folder_about"])
        if action == "build":
            sub.add_argument("--models", type=Path, help=said["models_about"])
            sub.add_argument("--all", action="store_true", help=said["all_about"])
            sub.add_argument("--prune", action="store_true", help=said["prune_about"])


def run_bank(args: Namespace) -> int:
    """Build or check a bank, and print what it has and lacks."""
    folder: Path = args.folder
    try:
        if args.action == "build":
            return _build(args, folder) or _check(folder)
        return _check(folder)
    except OSError as error:
        tell("bank", "failed", reason=str(error))
        return UNUSABLE


def _check(folder: Path) -> int:
    with suppress(
        FileNotFoundError
    ):  # raises for a folder that may not be read; it looks empty to Python 3.13
        next(folder.iterdir(), None)
    texts = fixed_sentences()
    found = gaps(folder, texts)
    for text in found.missing:
        tell("bank", "missing", text=text)
    for name in found.orphaned:
        tell("bank", "orphaned", name=name)
    if found.missing or found.orphaned:
        missing, orphaned = len(found.missing), len(found.orphaned)
        tell("bank", "incomplete", count=len(texts), missing=missing, orphaned=orphaned)
        return INCOMPLETE
    tell("bank", "complete", count=len(texts))
    return 0


def _build(args: Namespace, folder: Path) -> int:
    from voice.hearing.models import ModelError  # noqa: PLC0415
    from voice.recording.engines import judge, ways  # noqa: PLC0415 - loads the models

    texts = fixed_sentences() if args.all else gaps(folder, fixed_sentences()).missing
    try:
        if texts:
            for built in build(folder, texts, ways(args.models), judge(args.models)):
                error_pct = round(100 * built.error, 1)
                tell("bank", "built", text=built.text, made=built.made, error_pct=error_pct)
    except ModelError as error:
        tell("bank", "no_model", reason=str(error))
        return UNUSABLE
    for name in prune(folder, fixed_sentences()) if args.prune else ():
        tell("bank", "pruned", name=name)
    return 0


def record_arguments(parser: ArgumentParser) -> None:
    """Describe `anbu voice record`."""
    said = ours("voice", "mouth")["record"]
    parser.description = said["about"]
    parser.add_argument("--to", type=Path, metavar="FOLDER", help=said["to_about"])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="source", type=Path, metavar="WAVS", help=said["from_about"])
    source.add_argument("--live", action="store_true", help=said["live_about"])
    source.add_argument("--list", action="store_true", help=said["list_about"])
    parser.add_argument("--speaker", default="county", help=said["speaker_about"])
    live_arguments(parser)


def run_record(args: Namespace) -> int:
    """List the sentences, import the good recordings of a folder, or record them here."""
    if args.live:
        return run_live(args)
    if args.only or args.again or args.microphone is not None:
        tell("live", "only_live")
        return UNUSABLE
    texts = fixed_sentences()
    if args.list:
        for number, text in enumerate(texts, 1):
            show(ours("voice", "mouth")["record"]["line"].format(number=number, text=text))
        return 0
    try:
        return _import_recordings(texts, args.source, args.to or args.source / "bank", args.speaker)
    except OSError as error:
        tell("bank", "failed", reason=str(error))
        return UNUSABLE


def _import_recordings(texts: list[str], source: Path, folder: Path, speaker: str) -> int:
    stored = refused = 0
    for number, text, path in _recordings(texts, source):
        recording = read_sound(path)
        wrong = fault(text, recording)
        if wrong is None:
            store(folder, text, recording, speaker)
            stored += 1
            tell("record", "stored", number=number, text=text)
        else:
            refused += 1
            tell("record", "refused", wrong, number=number, text=text)
    if not stored + refused:
        tell("record", "nothing", folder=source)
        return UNUSABLE
    tell("record", "summary", stored=stored, refused=refused)
    return INCOMPLETE if refused else 0


def _recordings(texts: list[str], source: Path) -> Iterator[tuple[int, str, Path]]:
    for number, text in enumerate(texts, 1):
        path = source / f"{number:03}.wav"
        if path.is_file():
            yield number, text, path


def live_arguments(parser: ArgumentParser) -> None:
    """Describe the arguments of `anbu voice record --live`."""
    said = ours("voice", "mouth")["live"]
    parser.add_argument("--only", type=_span, metavar="N[-M]", help=said["only_about"])
    parser.add_argument("--again", action="store_true", help=said["again_about"])
    parser.add_argument("--microphone", metavar="NAME", help=said["microphone_about"])


def run_live(args: Namespace) -> int:
    """Hold a session. Raises SettingsError, and OSError where the settings cannot be read."""
    settings = load(args.config, noted_by(args))
    if args.microphone is not None:
        settings = replace(settings, microphone=args.microphone)
    folder: Path | None = args.to or (Path(settings.bank) if settings.bank else None)
    if folder is None:
        tell("live", "no_folder")
        return UNUSABLE
    span: range = args.only or range(1, len(fixed_sentences()) + 1)
    prompts = _wanted(folder, span, again=args.again)
    if not prompts:
        tell("live", "nothing", folder=folder)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        tell("live", "no_terminal")
        return UNUSABLE
    try:
        _try_folder(folder)
        code = _session(settings, folder, prompts, args.speaker)
    except OSError as error:
        tell("live", "not_stored", folder=folder, reason=error.strerror or error)
        return UNUSABLE
    except KeyboardInterrupt:
        return INCOMPLETE
    left = len(_wanted(folder, span, again=False))
    _advise(settings, folder, left)
    return code or (INCOMPLETE if left else 0)


def _wanted(folder: Path, span: range, *, again: bool) -> list[Prompt]:
    """Return the sentences whose sound the folder lacks; damaged sound counts as lacking."""
    bank = Bank([folder])
    prompts = (Prompt(n, text) for n, text in enumerate(fixed_sentences(), 1) if n in span)
    return [prompt for prompt in prompts if again or bank.find(prompt.text) is None]


def _try_folder(folder: Path) -> None:
    """Raise OSError if the folder cannot be written, before anybody speaks in vain."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _session(settings: VoiceSettings, folder: Path, prompts: list[Prompt], speaker: str) -> int:
    from voice.hearing.vad import Segmenter, detector  # noqa: PLC0415
    from voice.recording import desk  # noqa: PLC0415 - loads PortAudio
    from voice.recording.session import Desk, Session  # noqa: PLC0415
    from voice.sound.portaudio import PortAudio, hush  # noqa: PLC0415

    logging.getLogger("voice").addHandler(
        logging.NullHandler()
    )  # its warnings are shown as messages
    hush()
    sound, keys = PortAudio(), desk.TerminalKeys(sys.stdin)
    source = desk.MicrophoneSource(sound, settings.microphone)
    play, meter = desk.player(sound, settings, keys.pressed), desk.Meter()
    zeros = settings.silent_s > 0
    try:
        tell("live", "opening")
        if hindered := source.hindered(zeros=zeros):
            tell("live", hindered)
            return UNUSABLE
        minutes = max(1, len(prompts) * EACH_S // 60)
        tell("live", "intro", count=len(prompts), minutes=minutes)
        session = Session(
            Desk(source, keys, play, partial(tell, "live"), meter.show),
            lambda: Segmenter(detector()),
            lambda prompt, audio: store(folder, prompt.text, audio, speaker),
            zeros=zeros,
        )
        with desk.single_keys(sys.stdin):
            outcome = session.run(prompts)
    finally:
        source.close()
    tell("live", "summary", kept=outcome.kept)
    return UNUSABLE if outcome.lost else 0


def _advise(settings: VoiceSettings, folder: Path, left: int) -> None:
    """Print what is left to do."""
    tell("live", "left" if left else "whole", left=left)
    whole = folder.resolve()
    used = settings.bank and Path(settings.bank).resolve() == whole
    tell("live", "used" if used else "use", folder=whole)


def _span(argument: str) -> range:
    count = len(fixed_sentences())
    if found := re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", argument):
        first, last = int(found[1]), int(found[2] or found[1])
        if 1 <= first <= last <= count:
            return range(first, last + 1)
    raise ArgumentTypeError(ours("voice", "mouth")["live"]["no_span"].format(count=count))


def tell(part: str, key: str, flaw: str = "", **values: object) -> None:
    """Print a message of table `part` with `values` filled in; `flaw` is a key of [flaw]."""
    said = ours("voice", "mouth")
    wrong = said["flaw"][flaw] if flaw else ""
    show(said[part][key].format(flaw=wrong, **values))


def show(text: str) -> None:
    """Print a text as it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
