"""The words between hub and radio: each arrives as it was said, and newer presses still call."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.json_lines import JsonLineError
from hub.contract.radio import (
    LINE_BYTES,
    Ambient,
    Battery,
    Found,
    Hello,
    How,
    OpenPairing,
    PairingAnswer,
    PairingAsked,
    PairingEnd,
    PairingEnded,
    PairingOpened,
    Part,
    Ping,
    Pong,
    Presence,
    Pressed,
    Pulse,
    Reading,
    Sensed,
    Taken,
    Trouble,
    Wanted,
    Word,
    decode,
    encode,
)

PRESS = Pressed("b1-1", "pendant", How.HOLD, 2, 7, 4711, "0a1b2c3d", 1.5, -70)
WORDS: tuple[Word, ...] = (
    Hello(devices=("pendant", "band"), passive=True, adapters=("hci0",)),
    PRESS,
    Found("front", Sensed.DOOR, on=True, ago_s=0.2),
    Ambient("bath", {"temperature_c": 21.5}),
    Battery("pendant", 87.0),
    Pulse("band", 61.0, (983.4, 990.2), worn=True),
    Pulse("band", None, worn=False),
    Reading("cuff", {"systolic_mmhg": 131.0}, fresh=False, taken_utc=1.8e9, irregular=True),
    Presence("phone", near=True, rssi_dbm=-81),
    Trouble(Part.KEY, present=True, device="pendant", detail="2"),
    PairingOpened(120.0),
    PairingAsked("Galaxy A", Wanted.COMPARE, "012345"),
    PairingEnded("Galaxy A", done=True, reason=PairingEnd.PAIRED),
    Pong(7, {"bad_mic": 3}, 1200),
    Ping(7),
    Taken("b1-1"),
    OpenPairing(120.0),
    PairingAnswer(yes=True),
    PairingAnswer(yes=True, key="004711"),
    PairingAnswer(yes=True, ask=2**32 - 1),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_arrives_as_it_was_said(word: Word) -> None:
    line = encode(word)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == word


def test_a_way_of_pressing_that_only_a_newer_radio_knows_is_a_press() -> None:
    line = encode(PRESS).replace(b'"hold_press"', b'"quadruple_press"')
    word = decode(line)
    assert isinstance(word, Pressed)
    assert (word.device, word.how) == ("pendant", How.OTHER)


def test_the_longest_hello_fits_a_line() -> None:
    full = Hello(devices=tuple(f"{n:063d}" for n in range(64)), adapters=("x" * 200,) * 8)
    assert len(encode(full)) < LINE_BYTES


@given(st.binary(max_size=300))
def test_no_bytes_do_any_harm(line: bytes) -> None:
    with suppress(JsonLineError):
        assert isinstance(decode(line), Word)
