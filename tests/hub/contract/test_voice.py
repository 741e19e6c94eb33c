"""The messages between hub and voice: whatever comes over the socket, the hub survives."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.json_lines import JsonLineError, LineFlaw, length_after
from hub.contract.voice import (
    LINE_BYTES,
    WORDS_MAX,
    Ask,
    Heard,
    Hello,
    Listen,
    Meaning,
    Part,
    Ping,
    Pong,
    Say,
    Spoke,
    Stop,
    Talking,
    Trouble,
    Word,
    decode,
    encode,
)

WORDS: tuple[Word, ...] = (
    Say("received", "센터에 전달되었습니다.", receipt="c1", urgent=True),
    Ask("ask_meals", "식사는 하셨어요?", slow=True),
    Listen("ask_help", 8.0),
    Stop(),
    Ping(7),
    Hello(engines=("vosk", "whisper"), hears=True, spoken_sos=False, tells_words=True),
    Heard(Meaning.HELP, sure=0.9, words="살려 주세요"),
    Talking("ask_meals"),
    Spoke("announcement", "c1", done=False),
    Trouble(Part.MICROPHONE, present=True, detail="gone"),
    Pong(7, ear_lost_s=1.5, amid_lost_s=6.0, unjudged_s=2.5),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_arrives_as_it_was_said(word: Word) -> None:
    line = encode(word)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == word


def test_it_has_the_shape_of_wyoming() -> None:
    assert json.loads(encode(Ping(3))) == {"type": "ping", "data": {"n": 3}}


def test_data_may_follow_the_line() -> None:
    data = b'{"n": 4}'
    line = b'{"type": "ping", "data_length": 8, "payload_length": 32}\n'
    assert length_after(line) == (8, 32)
    assert decode(line, data) == Ping(4)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"[]",
        b'{"type": "shout"}',
        b'{"type": "ping"}',
        b"\xff",
        b"[" * 5000,
        encode(Heard(Meaning.HELP, words="가" * (WORDS_MAX + 1))),
        encode(Hello(engines=("whisper",) * 9)),
        encode(Pong(1, ear_lost_s=-1.0)),
    ],
)
def test_what_is_no_word_is_refused(line: bytes) -> None:
    with pytest.raises(JsonLineError) as error:
        decode(line)
    assert error.value.reason is LineFlaw.NOT_UNDERSTOOD


@pytest.mark.parametrize("line", [b"{", b'{"type": "x", "payload_length": -1}', b"[" * 5000])
def test_a_length_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(JsonLineError):
        length_after(line)


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(JsonLineError) as error:
        decode(b" " * (LINE_BYTES + 1))
    assert error.value.reason is LineFlaw.TOO_LONG


@given(st.binary(max_size=300))
def test_no_bytes_do_any_harm(line: bytes) -> None:
    with suppress(JsonLineError):
        assert isinstance(decode(line), Word)
