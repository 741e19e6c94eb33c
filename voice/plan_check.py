"""`anbu voice plans check [FOLDER]`: tell all that is wrong with plans, each with file and line.

Exit codes: 0 all is right; 2 something is wrong, or the folder cannot be read.
"""

import sys
import tomllib
from argparse import ArgumentParser, Namespace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from hub.shared.settings import SettingsError, noted_by
from voice.dialogue.plan_check import flaws
from voice.dialogue.plan_files import PlanFile, gather
from voice.dialogue.plans import SHIPPED, Plans
from voice.plan_flaws import Flaw
from voice.speaking.texts import usual_language

WRONG = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu voice plans check`."""
    said = _messages(usual_language())["check"]
    parser.description = said["about"]
    parser.add_argument(
        "folder", type=Path, nargs="?", default=SHIPPED, metavar="FOLDER", help=said["folder_about"]
    )


def run(args: Namespace) -> int:
    """Look over a folder. Raise `SettingsError` with the mistakes of form, the flaws being told."""
    folder: Path = args.folder
    try:
        sources, mistakes = gather(
            folder, *([] if folder == SHIPPED else [SHIPPED]), noted=noted_by(args)
        )
    except OSError as error:
        _say(sys.stderr, "unreadable", folder=str(folder), reason=str(error.strerror))
        return WRONG
    found = flaws(sources)
    for flaw in found:
        sys.stderr.write(tell(flaw, usual_language()) + "\n")
    if mistakes:
        raise SettingsError(mistakes)
    if found:
        return WRONG
    says = [source.says for source in sources[0]]
    keys = ", ".join(key for one in says if isinstance(one, PlanFile) for key in one.answers)
    count = len(Plans.of(sources).sentences())
    _say(sys.stdout, "right", folder=str(folder), keys=keys, count=str(count))
    return 0


def tell(flaw: Flaw, language: str) -> str:
    """Say one flaw as `file:line: key: sentence`."""
    words = _messages(language)
    first, second, third = (*flaw.allowed, "", "", "")[:3]
    sentence = words["flaw"][flaw.kind].format(
        allowed=", ".join(flaw.allowed),
        circle=" → ".join(flaw.allowed),
        first=first,
        second=second,
        third=third,
    )
    if flaw.did_you_mean:
        sentence += words["hint"]["meant"].format(meant=flaw.did_you_mean)
    return f"{flaw.file}:{flaw.line}: {flaw.key}: {sentence}"


def _say(stream: TextIO, key: str, **values: str) -> None:
    stream.write(_messages(usual_language())["check"][key].format(**values) + "\n")


@cache
def _messages(language: str) -> dict[str, dict[str, str]]:
    file = files("voice") / "messages" / f"plans.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
