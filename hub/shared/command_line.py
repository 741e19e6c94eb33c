"""What all `anbu` commands share: their language, what the terminal can show, no tracebacks."""

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

CLOSED = 141  # the exit code that a shell reports of a program that SIGPIPE has ended
STOPPED = 130  # the exit code that a shell reports of a program that Ctrl-C has ended
# ruff: noqa: RUF001 - these are the characters
PLAIN = {  # replacements on a terminal that lacks these characters, such as one in EUC-KR
    "✓": "O", "✗": "X", "●": "*", "○": "o", "■": "#", "▸": ">", "→": "->", "·": "-", "–": "-",
    "—": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">=", "≤": "<=", "×": "x",
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """A parser that adds `--lang` to every command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as argparse has it
        super().__init__(*args, **kwargs)
        if self.add_help:
            about = ours("hub", "cli")["shared"]["lang"]
            usual = str(usual_language())
            self.add_argument("--lang", choices=[*map(str, Language)], default=usual, help=about)


@contextmanager
def spoken(words: Sequence[str]) -> Iterator[None]:
    """Use the language of `--lang` in this block: for us, for argparse, for programs we start."""
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
    """Replace argparse's texts by those of `catalog`; what is not in it stays English."""

    def one(text: str) -> str:
        return catalog.get(text, text)

    def many(single: str, several: str, count: int) -> str:
        return one(single if count == 1 else several)

    argparse._, argparse.ngettext = one, many  # type: ignore[attr-defined]


def _asked(words: Sequence[str]) -> str:
    """Return the language after `--lang`; "" for an unknown one, which the parser then refuses."""
    given = words[: words.index("--")] if "--" in words else words
    pairs = zip(given, (*given, "")[1:], strict=True)
    found = [
        word.partition("=")[2] or following
        for word, following in pairs
        if word == "--lang" or word.startswith("--lang=")
    ]
    return found[-1] if found and found[-1] in set(Language) else ""


def fit_terminal() -> None:
    """Replace characters that the terminal lacks, and exit quietly when the reader has gone.

    Only standard output ends the process when its reader has gone. A hub whose log on standard
    error loses its reader goes on.
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
    """Standard output. The program ends when the reader has ended, as in `anbu ... | head`."""

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
