"""What `anbu voice bank` and `anbu voice record` tell people: each line in Korean and English."""

import sys
import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("ko", "en")


def tell(part: str, key: str, flaw: str = "", **values: object) -> None:
    """Print a message of table `part`, its `values` filled in; `flaw` is a key of [flaw]."""
    for language in LANGUAGES:
        said = messages(language)
        wrong = said["flaw"][flaw] if flaw else ""
        show(said[part][key].format(flaw=wrong, **values))


def show(line: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@cache
def messages(language: str) -> dict[str, dict[str, str]]:
    """Give the tables of `messages/mouth.<language>.toml`."""
    file = files("voice") / "messages" / f"mouth.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
