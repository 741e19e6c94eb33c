"""`anbu voice bank build`, `anbu voice bank check` and `anbu voice record`.

Exit codes: 0 all is there; 1 something is missing or was refused; 2 a model or file cannot be used.
Those of `record --live` stand in `record_cli`.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from voice.fixed import fixed_sentences
from voice.mouth_words import ours, show, tell
from voice.record_cli import live_arguments, run_live
from voice.recording.build import gaps, prune
from voice.recording.review import fault, store
from voice.speaking.bank import SHIPPED, read_sound

INCOMPLETE, UNUSABLE = 1, 2


def bank_arguments(parser: ArgumentParser) -> None:
    """Describe `anbu voice bank`."""
    said = ours()["bank"]
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
    """Build or check a bank, and tell what it has and lacks."""
    folder: Path = args.folder
    try:
        if args.action == "build":
            return _build(args, folder) or _check(folder)
        return _check(folder)
    except OSError as error:
        tell("bank", "failed", reason=str(error))
        return UNUSABLE


def _check(folder: Path) -> int:
    with suppress(FileNotFoundError):  # one that is somebody else's looks empty to Python 3.13
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
    from voice.bank_voice import judge, ways  # noqa: PLC0415
    from voice.hearing.models import ModelError  # noqa: PLC0415
    from voice.recording.build import build  # noqa: PLC0415 - only here the models are needed

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
    said = ours()["record"]
    parser.description = said["about"]
    parser.add_argument("--to", type=Path, metavar="FOLDER", help=said["to_about"])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from", dest="source", type=Path, metavar="WAVS", help=said["from_about"])
    source.add_argument("--live", action="store_true", help=said["live_about"])
    source.add_argument("--list", action="store_true", help=said["list_about"])
    parser.add_argument("--speaker", default="county", help=said["speaker_about"])
    live_arguments(parser)


def run_record(args: Namespace) -> int:
    """List the sentences, take the recordings of a folder that are good, or record them here."""
    if args.live:
        return run_live(args)
    if args.only or args.again or args.microphone is not None:
        tell("live", "only_live")
        return UNUSABLE
    texts = fixed_sentences()
    if args.list:
        for number, text in enumerate(texts, 1):
            show(ours()["record"]["line"].format(number=number, text=text))
        return 0
    try:
        return _take(texts, args.source, args.to or args.source / "bank", args.speaker)
    except OSError as error:
        tell("bank", "failed", reason=str(error))
        return UNUSABLE


def _take(texts: list[str], source: Path, folder: Path, speaker: str) -> int:
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
