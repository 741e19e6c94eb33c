"""The bytes of a file that people edit -> its text, whatever their editor has saved it as.

a byte order mark says it (UTF-8, UTF-16, UTF-32) | UTF-8 | CP949, as older Korean Windows has it
"""

import codecs

from msgspec import Struct

MARKS = {  # the longest first: UTF-32's begins as UTF-16's does
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
    """Bytes that are no text; `line`, counted from 1, is the first that is none."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def decode(data: bytes) -> Decoded:
    """Give the text of `data`, or raise `UndecodableError`.

    CP949 is believed only of what is not UTF-8 and holds Hangul: its bytes could be anything.
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
