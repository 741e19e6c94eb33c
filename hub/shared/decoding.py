"""Decodes a file that people edit, in whichever encoding their editor has saved it.

In this order: what a byte order mark says (UTF-8, UTF-16, UTF-32); UTF-8; CP949, which older Korean
Windows uses.
"""

import codecs

from msgspec import Struct

MARKS = {  # the longest first: the mark of UTF-32 begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
KOREAN_WINDOWS = "cp949"


class Decoded(Struct, frozen=True):
    """A file's text, and the encoding that it was read as."""

    text: str
    encoding: str = "utf-8"


class UndecodableError(ValueError):
    """The bytes are no text. `line`, counted from 1, is the first that cannot be decoded."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def decode(data: bytes) -> Decoded:
    """Return the text of `data`. Raises `UndecodableError`.

    CP949 is tried only where UTF-8 fails, and accepted only where the result holds Hangul: bytes in
    many other encodings are valid CP949 too.
    """
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), "")
    try:
        decoded = Decoded(data.decode(marked or "utf-8"), marked or "utf-8")
    except UnicodeDecodeError as error:
        found = None if marked else _korean(data)
        if found is None:
            raise UndecodableError(error.object.count(b"\n", 0, error.start) + 1) from error
        decoded = found
    if "\0" in decoded.text:  # UTF-16 without its mark
        raise UndecodableError(decoded.text.count("\n", 0, decoded.text.index("\0")) + 1)
    return decoded


def _korean(data: bytes) -> Decoded | None:
    try:
        text = data.decode(KOREAN_WINDOWS)
    except UnicodeDecodeError:
        return None
    hangul = any("가" <= letter <= "힣" for letter in text)
    return Decoded(text, KOREAN_WINDOWS) if hangul else None
