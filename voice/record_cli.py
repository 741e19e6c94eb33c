"""`anbu voice record --live`: the sentences that a bank lacks, said at the microphone.

Exit codes: 0 all of them are there; 1 some are still missing: it was stopped, or they were skipped;
2 microphone, terminal or folder cannot be used, or the words of the command are wrong.
"""

import logging
import re
import sys
import tempfile
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from hub.shared.settings import noted_by
from voice.fixed import fixed_sentences
from voice.mouth_words import ours, tell
from voice.recording.review import store
from voice.recording.session import Line
from voice.settings import VoiceSettings, load
from voice.speaking.bank import Bank

INCOMPLETE, UNUSABLE = 1, 2
EACH_S = 20  # for one sentence and its keys: a guess


def live_arguments(parser: ArgumentParser) -> None:
    """Describe what `--live` understands beside what all of `anbu voice record` does."""
    said = ours()["live"]
    parser.add_argument("--only", type=_span, metavar="N[-M]", help=said["only_about"])
    parser.add_argument("--again", action="store_true", help=said["again_about"])
    parser.add_argument("--microphone", metavar="NAME", help=said["microphone_about"])


def run_live(args: Namespace) -> int:
    """Hold a session; raises SettingsError, and OSError where the settings cannot be read."""
    settings = load(args.config, noted_by(args))
    if args.microphone is not None:
        settings = replace(settings, microphone=args.microphone)
    folder: Path | None = args.to or (Path(settings.bank) if settings.bank else None)
    if folder is None:
        tell("live", "no_folder")
        return UNUSABLE
    span: range = args.only or range(1, len(fixed_sentences()) + 1)
    lines = _wanted(folder, span, again=args.again)
    if not lines:
        tell("live", "nothing", folder=folder)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        tell("live", "no_terminal")
        return UNUSABLE
    try:
        _try_folder(folder)
        code = _session(settings, folder, lines, args.speaker)
    except OSError as error:
        tell("live", "not_stored", folder=folder, reason=error.strerror or error)
        return UNUSABLE
    except KeyboardInterrupt:
        return INCOMPLETE
    left = len(_wanted(folder, span, again=False))
    _advise(settings, folder, left)
    return code or (INCOMPLETE if left else 0)


def _wanted(folder: Path, span: range, *, again: bool) -> list[Line]:
    """Give the sentences whose sound the folder lacks; what is damaged counts as lacking."""
    bank = Bank([folder])
    lines = (Line(n, text) for n, text in enumerate(fixed_sentences(), 1) if n in span)
    return [line for line in lines if again or bank.find(line.text) is None]


def _try_folder(folder: Path) -> None:
    """Raise OSError before anybody has spoken in vain."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _session(settings: VoiceSettings, folder: Path, lines: list[Line], speaker: str) -> int:
    from voice.hearing.vad import Segmenter, detector  # noqa: PLC0415
    from voice.recording import desk  # noqa: PLC0415 - loads PortAudio
    from voice.recording.session import Desk, Session  # noqa: PLC0415
    from voice.sound.portaudio import PortAudio, hush  # noqa: PLC0415

    logging.getLogger("voice").addHandler(logging.NullHandler())  # it is told in words
    hush()
    sound, keys = PortAudio(), desk.TerminalKeys(sys.stdin)
    ears = desk.MicrophoneEars(sound, settings.microphone)
    play, meter = desk.player(sound, settings, keys.pressed), desk.Meter()
    zeros = settings.silent_s > 0
    try:
        tell("live", "opening")
        if hindered := ears.hindered(zeros=zeros):
            tell("live", hindered)
            return UNUSABLE
        tell("live", "intro", count=len(lines), minutes=max(1, len(lines) * EACH_S // 60))
        session = Session(
            Desk(ears, keys, play, partial(tell, "live"), meter.show),
            lambda: Segmenter(detector()),
            lambda line, audio: store(folder, line.text, audio, speaker),
            zeros=zeros,
        )
        with desk.single_keys(sys.stdin):
            outcome = session.run(lines)
    finally:
        ears.close()
    tell("live", "summary", kept=outcome.kept)
    return UNUSABLE if outcome.lost else 0


def _advise(settings: VoiceSettings, folder: Path, left: int) -> None:
    """Tell what is left to do."""
    tell("live", "left" if left else "whole", left=left)
    whole = folder.resolve()
    used = settings.bank and Path(settings.bank).resolve() == whole
    tell("live", "used" if used else "use", folder=whole)


def _span(words: str) -> range:
    count = len(fixed_sentences())
    if found := re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", words):
        first, last = int(found[1]), int(found[2] or found[1])
        if 1 <= first <= last <= count:
            return range(first, last + 1)
    raise ArgumentTypeError(ours()["live"]["no_span"].format(count=count))
