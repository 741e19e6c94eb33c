"""Unix sockets with JSON lines: private, one server per path, lines within the limit."""

import asyncio
import os
import socket
import stat
import threading
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.json_lines import JsonLineError, LineFlaw, decode, encode
from hub.contract.voice import LINE_BYTES, VOCABULARY, Ping, Word
from hub.contract.voice import encode as encode_word
from hub.shared.unix_socket import EndlessLineError, SocketError, ask, read_line, read_word, serving

Given = list[Word | str]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each line with itself."""
    try:
        while line := await read_line(reader):
            writer.write(line)
    finally:
        writer.close()


def test_the_socket_is_private_for_every_umask_and_gone_at_the_end(tmp_path: Path) -> None:
    async def story() -> int:
        async with serving(tmp_path / "new" / "s", "test", echo, line_bytes=64):
            return stat.S_IMODE((tmp_path / "new" / "s").stat().st_mode)

    before = os.umask(0)
    try:
        assert asyncio.run(story()) == 0o600
    finally:
        os.umask(before)
    assert not (tmp_path / "new" / "s").exists()


def test_a_second_server_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async def story() -> list[bytes]:
        async with serving(tmp_path / "s", "test", echo, line_bytes=64):
            with pytest.raises(SocketError, match="another test is running"):
                async with serving(tmp_path / "s", "test", echo, line_bytes=64):
                    pass
            return await asyncio.to_thread(lambda: [next(ask(tmp_path / "s", b"1\n", 5.0))])

    assert asyncio.run(story()) == [b"1\n"]


def test_clients_beyond_the_most_are_hung_up_on(tmp_path: Path) -> None:
    async def story() -> tuple[bytes, bytes]:
        async with serving(tmp_path / "s", "test", echo, line_bytes=64, clients_most=1):
            first, writer = await asyncio.open_unix_connection(tmp_path / "s")
            writer.write(b"1\n")
            answered = await first.readline()
            second, other = await asyncio.open_unix_connection(tmp_path / "s")
            refused = await second.read()
            writer.close()
            other.close()
            return answered, refused

    assert asyncio.run(story()) == (b"1\n", b"")


def test_who_says_nothing_is_waited_for_only_so_long(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen()
        with pytest.raises(TimeoutError):
            next(ask(tmp_path / "s", b"1\n", 0.05))


def test_answers_come_until_the_server_hangs_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def answer() -> None:
            with server.accept()[0] as visitor:
                visitor.recv(100)
                visitor.sendall(b"1\n2\n")

        answering = threading.Thread(target=answer)
        answering.start()
        assert list(ask(tmp_path / "s", b"?\n", 5.0)) == [b"1\n", b"2\n"]
        answering.join()


def words_of(data: bytes) -> Given:
    """Read `data`; return its messages, or what is wrong with them."""

    async def story() -> Given:
        reader, found = asyncio.StreamReader(limit=2 * LINE_BYTES), Given()
        reader.feed_data(data)
        reader.feed_eof()
        while (word := await read_word(reader, VOCABULARY)) is not None:
            found.append(word.reason if isinstance(word, JsonLineError) else word)
        return found

    return asyncio.run(story())


def test_a_line_without_an_end_is_a_broken_connection() -> None:
    async def story() -> bytes:
        reader = asyncio.StreamReader(limit=64)
        reader.feed_data(b"x" * 200)
        return await read_line(reader)

    with pytest.raises(EndlessLineError):
        asyncio.run(story())


def test_nonsense_between_two_words_costs_neither() -> None:
    ping = encode_word(Ping(1))
    found = words_of(ping + b"nonsense\n" + b'{"type":"dance"}\n' + ping)
    assert found == [Ping(1), LineFlaw.NOT_UNDERSTOOD, LineFlaw.NOT_UNDERSTOOD, Ping(1)]


def test_data_and_sound_after_a_line_are_read_with_it() -> None:
    head = b'{"type":"ping","data_length":7,"payload_length":3}\n'
    assert words_of(head + b'{"n":9}' + b"\n\n\n" + encode_word(Ping(2))) == [Ping(9), Ping(2)]


def test_who_breaks_off_within_a_word_is_gone() -> None:
    with pytest.raises(ConnectionResetError):
        words_of(b'{"type":"ping","data_length":7}\n{"n"')


@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_no_bytes_do_more_than_say_that_they_are_no_line(line: bytes) -> None:
    decoder = msgspec.json.Decoder(dict[str, int])
    with suppress(JsonLineError):
        told = decode(line, decoder)
        assert decode(encode(told), decoder) == told


def test_a_line_that_nests_without_end_is_not_understood() -> None:
    with pytest.raises(JsonLineError):
        decode(b"[" * 100_000, msgspec.json.Decoder())
