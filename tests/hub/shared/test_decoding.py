"""Files as editors on Windows and elsewhere save them."""

import codecs

import pytest

from hub.shared.decoding import Decoded, UndecodableError, decode

TEXT = 'place = "욕실"\n'


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
        (TEXT.encode("cp949"), "cp949"),
    ],
)
def test_a_text_is_the_same_whatever_saved_it(data: bytes, encoding: str) -> None:
    assert decode(data) == Decoded(TEXT, encoding)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a = 1\nb = '\xff'\n", 2),
        ("a = 1\nb = 'é'\n".encode("latin-1"), 2),  # as CP949 it would be no Hangul
        (codecs.BOM_UTF8 + b"\n\xff", 2),
        (codecs.BOM_UTF16_LE + b"a", 1),
        ("a = 1\nb = 2".encode("utf-16-le"), 1),  # without its mark
        ("가".encode("cp949") + b"\xff\n", 1),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(data)
    assert caught.value.line == line
