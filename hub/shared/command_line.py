"""What all commands of `anbu` share: one language, signs that the terminal has, no traceback."""

import argparse
import codecs
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub.shared.language import VARIABLE, Language
from hub.shared.messages import ours, usual_language

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CLOSED = 141  # as the shell tells of a program that SIGPIPE has ended
STOPPED = 130  # and of one that Ctrl-C has ended
# ruff: noqa: RUF001 - these are the signs
PLAIN = {  # for a terminal without these signs, such as one in EUC-KR
    "✓": "O", "✗": "X", "●": "*", "○": "o", "■": "#", "▸": ">", "→": "->", "·": "-", "–": "-",
    "—": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<=", "×": "x",
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """A parser of which every command takes `--lang`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as argparse has it
        super().__init__(*args, **kwargs)
        if self.add_help:
            about = ours("hub", "cli")["shared"]["lang"]
            usual = str(usual_language())
            self.add_argument("--lang", choices=[*map(str, Language)], default=usual, help=about)


@contextmanager
def spoken(words: Sequence[str]) -> Iterator[None]:
    """Speak the language that the command line asks for, argparse too, and programs we start."""
    before = os.environ.get(VARIABLE)
    plain = argparse._, argparse.ngettext  # type: ignore[attr-defined]
    try:
        if asked := _asked(words):
            os.environ[VARIABLE] = asked
        if usual_language() is not Language.ENGLISH:
            _translate(ours("hub", "argparse")["says"])
        yield
    finally:
        argparse._, argparse.ngettext = plain  # type: ignore[attr-defined]
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def _translate(catalog: dict[str, str]) -> None:
    """Have argparse speak as the catalog does; what is not in it stays English."""

    def one(text: str) -> str:
        return catalog.get(text, text)

    def many(single: str, several: str, count: int) -> str:
        return one(single if count == 1 else several)

    argparse._, argparse.ngettext = one, many  # type: ignore[attr-defined]


def _asked(words: Sequence[str]) -> str:
    """Give the language that is asked for; one that there is not, the parser refuses."""
    given = words[: words.index("--")] if "--" in words else words
    pairs = zip(given, (*given, "")[1:], strict=True)
    found = [
        word.partition("=")[2] or following
        for word, following in pairs
        if word == "--lang" or word.startswith("--lang=")
    ]
    return found[-1] if found and found[-1] in set(Language) else ""


def fit_terminal() -> None:
    """Let neither a sign that the terminal lacks nor a reader that has gone be a traceback.

    Standard error stays as it is in the latter: a hub's log may lose its reader, the hub goes on.
    """
    codecs.register_error("anbu.plain", _plain)
    was = sys.stdout
    if was is sys.__stdout__ and isinstance(was, io.TextIOWrapper):
        at_once = was.line_buffering or not isinstance(was.buffer, io.BufferedWriter)
        pipe = io.BufferedWriter(_Pipe(was.fileno(), "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(pipe, encoding=was.encoding, line_buffering=at_once)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="anbu.plain")


class _Pipe(io.FileIO):
    """Standard output; the program ends when its reader has (`| head`), whatever it is doing."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise SystemExit(CLOSED) from None


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    strange = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign, "?") for sign in strange), error.end
