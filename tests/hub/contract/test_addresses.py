"""Addresses are checked when they are read, so that none fails only when it is used."""

# ruff: noqa: RUF001 - full-width signs are what is tried here

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.addresses import Address, Flaw, FlawError, broker, listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tls://broker.example", Address(tls=True, host="broker.example", port=8883)),
        ("tls://broker.example.:8884", Address(tls=True, host="broker.example.", port=8884)),
        ("tcp://127.0.0.1", Address(tls=False, host="127.0.0.1", port=1883)),
        ("tls://[::1]", Address(tls=True, host="::1", port=8883)),
        ("tls://[2001:db8::7]:8884", Address(tls=True, host="2001:db8::7", port=8884)),
        ("tls://정선.example:1", Address(tls=True, host="정선.example", port=1)),
        ("tls://my_broker:65535", Address(tls=True, host="my_broker", port=65535)),
    ],
)
def test_a_broker_is_read_whole(text: str, address: Address) -> None:
    assert broker(text) == address


@pytest.mark.parametrize(
    ("text", "flaw", "detail"),
    [
        ("tls://[backup.example]:8883", Flaw.BRACKETS, ""),
        ("tls://::1:8883", Flaw.BRACKETS, ""),
        ("tls://[::1:8883", Flaw.BRACKETS, ""),
        ("tls://[::1]8883", Flaw.BRACKETS, ""),
        ("tls://[[::1]]:8883", Flaw.BRACKETS, ""),
        ("tls://broker.example：8883", Flaw.SIGN, "："),
        ("tls://broker.example: 8883", Flaw.SIGN, " "),
        ("tls://ｂroker.example", Flaw.SIGN, "ｂ"),
        ("tls://broker.example\0", Flaw.SIGN, "\0"),
        ("tls://broker.example:99999", Flaw.PORT, "99999"),
        ("tls://broker.example:0", Flaw.PORT, "0"),
        ("tls://broker.example:88a", Flaw.PORT, "88a"),
        ("tls://broker.example:-1", Flaw.PORT, "-1"),
        ("tls://broker.example:", Flaw.NO_PORT, ""),
        ("tls://:8883", Flaw.NO_HOST, ""),
        ("tls://", Flaw.NO_HOST, ""),
        ("tls://127.0.0.256:8883", Flaw.HOST, "127.0.0.256"),
        ("tls://10.0.1", Flaw.HOST, "10.0.1"),
        ("tls://-broker.example", Flaw.HOST, "-broker.example"),
        ("tls://broker..example", Flaw.HOST, "broker..example"),
        ("tls://" + "a" * 64, Flaw.HOST, "a" * 64),
        ("tls://" + "a." * 130 + "kr", Flaw.HOST, "a." * 130 + "kr"),
        ("tls://broker.example/path", Flaw.REST, "/"),
        ("tls://somebody@broker.example", Flaw.REST, "@"),
        ("mqtt://broker.example", Flaw.SCHEME, ""),
        ("broker.example:8883", Flaw.SCHEME, ""),
        ("", Flaw.SCHEME, ""),
    ],
)
def test_a_broker_that_could_never_be_dialled_is_refused(
    text: str, flaw: Flaw, detail: str
) -> None:
    with pytest.raises(FlawError) as caught:
        broker(text)
    assert (caught.value.flaw, caught.value.detail) == (flaw, detail)


@given(st.text(alphabet="tlscp:/[].%0123456789abé：@- ", max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for given_ in (text, f"tls://{text}"):
        try:
            read = broker(given_)
        except FlawError:
            continue
        assert read.host
        assert 0 < read.port <= 65535


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::]:8080", ("::", 8080)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_an_address_to_listen_on_has_a_port(text: str, read: tuple[str, int]) -> None:
    assert listen(text) == read


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("8080", Flaw.NO_PORT),
        ("127.0.0.1", Flaw.NO_PORT),
        (":8080", Flaw.NO_HOST),
        ("127.0.0.1:99999", Flaw.PORT),
        ("::1:8080", Flaw.BRACKETS),
        ("127.0.0.1：8080", Flaw.SIGN),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_refused(text: str, flaw: Flaw) -> None:
    with pytest.raises(FlawError) as caught:
        listen(text)
    assert caught.value.flaw is flaw
