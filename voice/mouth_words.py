"""What `anbu voice bank` and `anbu voice record` tell people, in the language of the shell."""

import sys
import tomllib
from functools import cache
from importlib.resources import files

from voice.speaking.texts import usual_language

LANGUAGES = ("ko", "en")


def tell(part: str, key: str, flaw: str = "", **values: object) -> None:
    """Print a message of table `part`, its `values` filled in; `flaw` is a key of [flaw]."""
    said = ours()
    wrong = said["flaw"][flaw] if flaw else ""
    show(said[part][key].format(flaw=wrong, **values))


def show(line: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ours() -> dict[str, dict[str, str]]:
    """Give the tables in the language of the shell."""
    return messages(usual_language())


@cache
def messages(language: str) -> dict[str, dict[str, str]]:
    """Give the tables of `messages/mouth.<language>.toml`."""
    file = files("voice") / "messages" / f"mouth.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
